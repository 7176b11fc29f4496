"""Fingers on the screen of a window, as Chromium gets them from a touch screen."""

AWAY = 300
"""Milliseconds until a finger that was lifted after a slide is elsewhere. Chromium takes a tap within about 100 for one
that stops the page's momentum, and tells the page of no click."""


class Fingers:
    """One finger or two; what they do is told to the browser's own input, not to the page.

    Args:
        window: a `Window` of a device with touch.
    """

    def __init__(self, window):
        self.devtools = window.context.new_cdp_session(window.page)
        self.page = window.page

    def _tell(self, kind, points):
        touches = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(points)]
        self.devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def tap(self, point, milliseconds=0):
        """Touches a place of the screen, CSS pixels, for some time."""
        self._tell("touchStart", [point])
        if milliseconds:
            self.page.wait_for_timeout(milliseconds)
        self._tell("touchEnd", [])

    def slide(self, starts, ends, steps=12):
        """Goes from places of the screen to others, one of each for every finger."""
        for count in range(1, len(starts) + 1):
            self._tell("touchStart", starts[:count])
        for k in range(1, steps + 1):
            self._tell("touchMove", [between(a, b, k / steps) for a, b in zip(starts, ends, strict=True)])
            self.page.wait_for_timeout(16)
        self._tell("touchEnd", [])
        self.page.wait_for_timeout(AWAY)


def between(start, end, share):
    """A point on the way between two."""
    return tuple(a + share * (b - a) for a, b in zip(start, end, strict=True))
