"""Types, noise levels, geometry: what every folder shares. No model, no files."""
