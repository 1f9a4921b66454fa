"""The panel for browsing the stored resources, with images and tags."""
