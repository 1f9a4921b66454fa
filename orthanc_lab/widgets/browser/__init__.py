"""The panel of what is stored, with images and tags."""
