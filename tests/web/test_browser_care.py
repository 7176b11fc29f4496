"""The page in a browser: a server that dies and comes back, and what those need who do not see or point."""

import numpy as np
import pytest

from dragondiffusion.bench.demo import draw_case
from dragondiffusion.web.api import SCENE

from .browser import Window, innermost, until
from .process import Server

pytestmark = pytest.mark.browser
FIRST = 57
"""Seed of the scene that newcomers see."""


def on_it():
    """A point of the thing in the newcomers' scene."""
    return innermost(np.asarray(draw_case(FIRST, SCENE).mask) / 255)


def moved(window, offset):
    """Selects the thing and drags it; gives the offset in the document."""
    window.tap(on_it())
    window.selected()
    offset = window.carry(on_it(), offset)
    window.edit("move", lambda edit: edit["placing"]["offset"] == offset)
    return offset


@pytest.mark.slow
def test_a_server_that_is_killed_and_comes_back(browser, tmp_path):
    with Server(tmp_path) as server:
        window = Window(browser, server)
        window.excused = ("net::ERR_",)  # what the browser itself says of a server that is away
        window.open()
        offset = moved(window, (25, -20))
        window.said("This is a preview")
        window.choose("Edit")
        first = window.finished()
        window.choose("Back to the edits")
        window.choose("Advanced")
        window.page.get_by_label("steps", exact=True).fill("290")
        window.page.get_by_label("steps", exact=True).blur()
        window.known(lambda doc: doc["choices"]["advanced"] == {"steps": 290})
        window.choose("Edit")
        running = until(lambda: next((job for job in window.jobs if 2 <= job["done"] < job["total"]), None))
        known = window.doc
        server.kill()
    alert = window.page.locator('[data-dd="error"]:visible')
    window.tap((110, 20), "Shift")
    alert.wait_for()
    assert "server does not answer" in alert.text_content()
    window.page.wait_for_timeout(1500)
    assert window.doc == known  # nothing is lost meanwhile
    with Server(tmp_path, port=server.port) as again:
        window.server = again
        window.page.locator(".dd-card .dd-words", has_text="nterrupted").wait_for(timeout=30_000)
        states = {job["id"]: job["state"] for job in window.jobs}
        assert states == {first["id"]: "done", running["id"]: "interrupted"}
        until(lambda: "interrupted" in (alert.text_content() or ""))
        window.page.get_by_label("steps", exact=True).fill("30")
        window.page.get_by_label("steps", exact=True).blur()
        window.known(lambda doc: doc["choices"]["advanced"] == {"steps": 30})
        window.choose("Edit")
        job = window.finished(3)
        assert (job["state"], job["recipe"]["edits"][0]["offset"]) == ("done", offset)
        assert alert.count() == 0
        window.page.locator('[data-dd="verdict"]:visible').wait_for()
        window.page.reload()
        window.page.wait_for_selector('[data-ready="true"]')
        assert window.page.locator(".dd-card").count() == 3
        window.close()
