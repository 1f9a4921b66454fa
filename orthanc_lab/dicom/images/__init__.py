"""Images: what describes them, their pixels, and image files."""
