"""What stands in the files of instances: tags, frames, images, arrays."""
