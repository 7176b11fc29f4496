"""Work that ends: cancelled between steps, too long, too large; values that cannot be."""

import json
import time

import pytest
from starlette.testclient import TestClient

from dragondiffusion import Editor
from dragondiffusion.core.stopping import go_on
from dragondiffusion.web.limits import Limits
from dragondiffusion.web.server import application

from .conftest import service_with
from .visitor import HERE, Visitor

AS_JSON = {"Content-Type": "application/json"}


def test_cancel_between_steps(visitor, service, picture, mask, monkeypatch):
    """Planning and compositing tell of no progress; they stop all the same."""

    def endless(*_, **__):
        while True:
            time.sleep(0.01)
            go_on()

    recipe = visitor.recipe(picture, mask)
    service.engines[0]._inversions.clear()
    with monkeypatch.context() as broken:
        broken.setattr(Editor, "__call__", endless)
        job = visitor.post("jobs", json={"recipe": recipe}).json()["id"]
        while visitor.get(f"jobs/{job}").json()["state"] != "running":
            time.sleep(0.01)
        begin = time.perf_counter()
        visitor.post(f"jobs/{job}/cancel")
        assert visitor.finished(job)["state"] == "cancelled"
        assert time.perf_counter() - begin < 1
    assert visitor.edit(recipe)["state"] == "done"


def test_what_takes_too_long_ends(editor, tmp_path, picture, mask, monkeypatch):
    service = service_with(lambda: editor, tmp_path, Limits(seconds=0.2))

    def endless(*_):
        while True:
            time.sleep(0.01)
            go_on()

    with TestClient(application(service, page=False), base_url=HERE) as client:
        visitor = Visitor(client)
        recipe = visitor.recipe(picture, mask)
        monkeypatch.setattr("dragondiffusion.web.routes.jobs.preview", endless)
        monkeypatch.setattr("dragondiffusion.web.service.check_edits", endless)
        for path in ("previews", "jobs"):
            answer = visitor.post(path, json={"recipe": recipe})
            assert (answer.status_code, "this takes more than 0.2 s" in answer.text) == (422, True)


@pytest.mark.parametrize("error", [MemoryError(), OverflowError("too large"), ValueError("no")])
def test_what_values_bring_about_is_no_fault_of_the_server(visitor, picture, mask, monkeypatch, error):
    def fails(*_):
        raise error

    recipe = visitor.recipe(picture, mask)
    monkeypatch.setattr("dragondiffusion.web.routes.jobs.preview", fails)
    monkeypatch.setattr("dragondiffusion.web.service.check_edits", fails)
    for path in ("previews", "jobs"):
        assert visitor.post(path, json={"recipe": recipe}).status_code == 422


@pytest.mark.parametrize("path", ["jobs", "previews", "exports", "recipes"])
def test_halves_of_characters_are_refused(visitor, path):
    half = "\ud800"
    for value in ({"image": half}, {"recipe": {"image": half}}, {"recipe": {half: 1}, half: 1}):
        answer = visitor.post(path, content=json.dumps(value), headers=AS_JSON)
        assert answer.status_code == 422, answer.text
