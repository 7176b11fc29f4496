"""Edits as data, in the geometry that settings ask for, as the pipeline compiles them."""

from dragondiffusion.edits.reference.strategy import in_geometry
from dragondiffusion.pipeline.plan import compile_edits


def compiled(edit, canvas, settings, x=None):
    """One edit or several as data; with `x`, also what is read off the image."""
    edits = in_geometry(edit if isinstance(edit, list) else [edit], settings)
    return compile_edits(edits, canvas, settings, x)


def guides(edit, canvas, settings):
    """Further images of an edit."""
    (one,) = in_geometry([edit], settings)
    return one.guides(canvas, settings)
