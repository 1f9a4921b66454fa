"""DICOMDIR (PS3.3 annex F)."""
