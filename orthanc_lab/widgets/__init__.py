"""Panels that drive a server from a notebook: thin views over client and frames.

Needs the extra ``notebook``: ``pip install 'orthanc-lab[notebook]'``.
"""
