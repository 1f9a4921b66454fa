"""The data dictionary (PS3.6): names and VRs of tags, main DICOM tags, SOP classes."""
