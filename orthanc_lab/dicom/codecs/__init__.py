"""Transfer syntaxes of pixel data: decoding, encoding, transcoding."""
