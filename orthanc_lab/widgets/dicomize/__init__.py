"""The panel for turning images and documents into DICOM: the form's logic, free of widgets, and its parts."""
