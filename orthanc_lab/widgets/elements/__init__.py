"""Elements that ipywidgets lacks, or is too slow for; each has a part in the browser (``*.js``), with no build step."""
