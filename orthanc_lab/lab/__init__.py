"""One command into JupyterLab: a server, sample studies and the notebooks."""
