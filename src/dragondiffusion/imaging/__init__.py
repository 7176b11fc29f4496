"""Image files and their metadata, masks, frames of large photos."""
