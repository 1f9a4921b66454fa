"""The DICOM server: listens for associations, and answers the requests that come over them."""
