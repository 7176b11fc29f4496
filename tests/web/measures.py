"""What can be measured of a page that is laid out: what is cut, what is covered, what is too faint to read."""

from pathlib import Path

MEASURES = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def measured(window, call):
    """What a function of measures.js finds."""
    return window.page.evaluate(f"{MEASURES.strip()}.{call}")


def cut(window):
    """What does not fit into the window."""
    return measured(window, "cut()")


def covered(window):
    """What cannot be tapped, though it is seen."""
    return measured(window, "covered()")


def faint(window, least=4.5):
    """What is hard to read, in the light and the dark theme."""
    found = []
    for theme in ("light", "dark"):
        window.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        window.page.wait_for_timeout(50)
        found += [(theme, *each) for each in measured(window, f"faint({least})")]
    return found
