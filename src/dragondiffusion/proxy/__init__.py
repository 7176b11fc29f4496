"""The rough edit in pixels: deformation, shadows, appearance transfer."""
