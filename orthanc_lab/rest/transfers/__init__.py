"""Transfers of many instances between two servers: ``/transfers``."""
