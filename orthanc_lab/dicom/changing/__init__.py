"""Modification and anonymization of data sets."""
