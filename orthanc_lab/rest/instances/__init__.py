"""The contents of the files of instances: tags, frames, images, arrays."""
