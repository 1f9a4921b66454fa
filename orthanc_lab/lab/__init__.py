"""One command that opens JupyterLab with a server, sample studies and the notebooks."""
