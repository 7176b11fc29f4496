"""Which edits there are. Adding one is a file in `edits/` and a line here."""

EDITS: dict[str, tuple[str, str]] = {
    "move": ("move", "Move"),
    "paste": ("paste", "Paste"),
    "appearance": ("appearance", "ReplaceAppearance"),
    "drag": ("drag", "Drag"),
    "landmarks": ("landmarks", "Landmarks"),
    "remove": ("remove", "Remove"),
}
"""Name of an edit on the command line and in recipes; its module in `edits`, and its class."""
