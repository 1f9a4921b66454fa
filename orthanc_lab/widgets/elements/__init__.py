"""What ipywidgets has not, or is too slow for: elements with a part in the browser (``*.js``), without a build."""
