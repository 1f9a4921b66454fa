"""The storage area: the files of the attachments."""
