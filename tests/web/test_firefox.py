"""The page in Firefox: a newcomer moves an object, edits, downloads; with the mouse and with a finger."""

import json
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from dragondiffusion.bench.demo import draw_case
from dragondiffusion.web.routes.images import SCENE

from .browser import innermost
from .measures import MEASURES
from .test_scripts import node

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIRST = 57
"""Seed of the scene that newcomers see."""
PLAY = Path(__file__).with_name("firefox.mjs")


@contextmanager
def firefox(folder):
    """The address of a headless Firefox with an empty profile; the test is skipped where there is none."""
    path = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
    if path is None:
        pytest.skip("no firefox in PATH")
    command = [path, "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = (re.search(r"WebDriver BiDi listening on (ws://\S+)", line) for line in process.stderr)
            yield next(found[1] for found in lines if found)
        finally:
            process.terminate()


@pytest.mark.parametrize(("size", "kind"), [((1280, 800), "mouse"), ((500, 844), "touch")])
def test_a_newcomer_moves_a_thing(demo, tmp_path, size, kind):
    thing = innermost(np.asarray(draw_case(FIRST, SCENE).mask) / 255)
    told = {"url": demo.url, "size": size, "kind": kind, "thing": thing, "scene": SCENE, "measures": MEASURES.strip()}
    with firefox(tmp_path) as address:
        ended = node(PLAY, json.dumps(told | {"address": address}))
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert "rrived" in found["words"]
    assert found["saved"].endswith(".png")
    assert (found["cut"], found["errors"]) == ([], [])
