"""Series as arrays of voxels, with their place in space."""
