"""The released code's geometry: nearest cells, whole-cell displacements, resizing about the image's centre."""
