"""The HTTP API: from an image to a result and back, and what is refused."""

import base64
import errno
import io
import json
import re
import threading
import time
import zipfile

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from dragondiffusion import Editor, Recipe
from dragondiffusion.imaging.files import read_picture
from dragondiffusion.web import sessions
from dragondiffusion.web.limits import Limits
from dragondiffusion.web.queue import EditJob
from dragondiffusion.web.server import application

from .conftest import service_with
from .visitor import HERE, STEPS, Visitor, png


def image_of(answer):
    assert answer.status_code == 200, answer.text
    return np.array(Image.open(io.BytesIO(answer.content)))


def test_from_picture_to_result_and_back(client, visitor, editor, picture, mask, tmp_path):
    recipe = visitor.recipe(picture, mask, prompt="an object", seed=7)
    assert np.array_equal(image_of(visitor.get(f"pictures/{recipe['image']}/view")), picture)
    job = visitor.edit(recipe)
    assert (job["state"], job["seed"], job["error"]) == ("done", 7, None)
    assert "background untouched" in job["report"]["words"]
    answer = visitor.get(f"jobs/{job['id']}/result")
    assert answer.headers["content-disposition"] == 'attachment; filename="cup edited.png"'
    # The same as without a server.
    (tmp_path / "result.png").write_bytes(answer.content)
    carried = Recipe.load(tmp_path / "result.png")
    assert np.array_equal(np.asarray(carried.run(editor).image), read_picture(tmp_path / "result.png"))
    # Another visitor goes on with it.
    other = Visitor(client)
    restored = other.post("recipes", content=answer.content).json()
    again = other.edit(restored["recipe"])
    assert np.array_equal(image_of(other.get(f"jobs/{again['id']}/result")), read_picture(tmp_path / "result.png"))
    # The result is an image like any other.
    further = recipe | {"image": job["result"]["name"]}
    assert visitor.edit(further)["state"] == "done"


def test_the_next_edit_of_a_picture_does_not_invert_it_again(visitor, service, picture, mask):
    recipe = visitor.recipe(picture, mask)
    first = visitor.edit(recipe)
    moved = recipe | {"edits": [recipe["edits"][0] | {"offset": [5, 20]}]}
    seen, editor = [], service.engines[0]
    change = editor._inversions.get
    editor._inversions.get = lambda key: seen.append(change(key)) or seen[-1]
    second = visitor.edit(moved)
    assert first["state"] == second["state"] == "done"
    assert seen[0] is not None
    alone = visitor.edit(moved | {"settings": STEPS | {"working_size": 128}})  # another key
    assert image_of(visitor.get(f"jobs/{alone['id']}/result")).tolist() == (
        image_of(visitor.get(f"jobs/{second['id']}/result")).tolist()
    )


def test_previews_keep_what_is_not_edited_and_carry_the_rest(visitor, picture, mask):
    recipe = visitor.recipe(picture, mask)
    answer = visitor.post("previews", json={"recipe": recipe})
    left, top, right, bottom = map(int, answer.headers["x-box"].split(","))
    whole = picture.copy()
    shown = image_of(answer)
    seen = shown[..., 3:].astype(float) / 255
    place = whole[top:bottom, left:right]
    place[:] = np.rint(seen * shown[..., :3] + (1 - seen) * place)
    inside = np.zeros_like(mask)
    inside[27:47, 38:58] = True  # well inside of where the object arrives
    assert np.array_equal(whole[inside], np.roll(picture, (5, 20), (0, 1))[inside])
    assert np.array_equal(whole[:10], picture[:10])
    assert not np.array_equal(whole[mask], picture[mask])


def test_live_frames_and_phases(visitor, picture, mask):
    recipe = visitor.recipe(picture, mask, settings={"preset": "default", "steps": 8})
    job = visitor.post("jobs", json={"recipe": recipe}).json()
    end = time.monotonic() + 60
    while (answer := visitor.get(f"jobs/{job['id']}/frame")).status_code == 404 and time.monotonic() < end:
        time.sleep(0.005)
    with visitor.client.stream("GET", f"/api/jobs/{job['id']}/events", headers={"X-Session": visitor.token}) as events:
        told = [json.loads(line[6:]) for line in events.iter_lines() if line.startswith("data: ")]
    assert told[-1]["state"] == "done"
    assert told[-1]["frames"] >= 1
    left, top, right, bottom = map(int, answer.headers["x-box"].split(","))
    assert image_of(answer).shape == (bottom - top, right - left, 3)


def test_jobs_name_images_that_were_sent_as_data(visitor, picture, mask):
    """What follows with every change of a job is short."""
    recipe = visitor.recipe(picture, mask)
    named = visitor.edit(recipe)
    data = base64.b64encode(png(np.uint8(mask) * 255)).decode()
    recipe["edits"][0]["mask"] = f"data:image/png;base64,{data}"
    answer = visitor.post("jobs", json={"recipe": recipe})
    assert answer.status_code == 202 and len(answer.content) < 2000
    job = visitor.finished(answer.json()["id"])
    assert job["recipe"]["edits"][0]["mask"].endswith(".png")
    results = [image_of(visitor.get(f"jobs/{one['id']}/result")) for one in (named, job)]
    assert np.array_equal(*results)
    with visitor.client.stream("GET", f"/api/jobs/{job['id']}/events", headers={"X-Session": visitor.token}) as events:
        told = [json.loads(line[6:]) for line in events.iter_lines() if line.startswith("data: ")]
    assert told == [job], "an event says what the answer says"


def test_cancel(visitor, picture, mask):
    recipe = visitor.recipe(picture, mask, settings={"steps": 200})
    running, waiting = (visitor.post("jobs", json={"recipe": recipe}).json()["id"] for _ in range(2))
    assert visitor.post(f"jobs/{waiting}/cancel").json()["state"] == "cancelled"
    while visitor.get(f"jobs/{running}").json()["done"] < 2:
        time.sleep(0.01)
    answered = visitor.post(f"jobs/{running}/cancel").json()["done"]
    job = visitor.finished(running)
    assert job["state"] == "cancelled"
    assert job["done"] <= answered + 2
    assert visitor.get(f"jobs/{running}/result").status_code == 404
    assert visitor.ask("DELETE", f"jobs/{running}").status_code == 204
    assert visitor.get(f"jobs/{running}").status_code == 404
    assert visitor.edit(visitor.recipe(picture, mask))["state"] == "done"  # the model is as it was


def test_selections_keep_corrections(visitor):
    scene = visitor.post("scenes", json={"seed": 42}).json()["picture"]
    ask = {"picture": scene["name"], "points": [[50, 48]]}
    first = visitor.post("selections", json=ask).json()
    assert first["mask"] == first["found"]
    by_hand = np.array(image_of(visitor.get(f"pictures/{first['mask']['name']}/view")))
    by_hand[200:220, 10:50] = 255
    corrected = visitor.post("masks", params={"picture": scene["name"]}, content=png(by_hand)).json()
    more = ask | {"points": [[50, 48], [160, 180]], "found": first["found"]["name"], "corrected": corrected["name"]}
    second = visitor.post("selections", json=more).json()
    mask = image_of(visitor.get(f"pictures/{second['mask']['name']}/view"))
    found = image_of(visitor.get(f"pictures/{second['found']['name']}/view"))
    assert (mask[200:220, 10:50] > 250).all()
    rest = np.ones_like(mask, bool)
    rest[200:220, 10:50] = False
    assert np.abs(mask.astype(int) - found)[rest].max() <= 2


def test_selections_offer_candidates(visitor):
    scene = visitor.post("scenes", json={"seed": 42}).json()["picture"]
    found = visitor.post("selections", json={"picture": scene["name"], "points": [[50, 48]]}).json()
    areas = [mask["area"] for mask in found["candidates"]]
    assert areas == sorted(areas) and found["candidates"][found["choice"]] == found["found"] and found["notes"] == []
    for mask in found["candidates"]:
        assert visitor.get(f"masks/{mask['name']}").json() == mask


def test_masks_come_in_view_size_and_leave_in_picture_size(visitor, picture, mask):
    name = visitor.send(png(picture))["name"]
    small = np.array(Image.fromarray(np.uint8(mask) * 255).resize((45, 30)))
    facts = visitor.post("masks", params={"picture": name}, content=png(small)).json()
    assert (facts["width"], facts["height"]) == (90, 61)
    ys, xs = np.nonzero(mask)
    assert facts["centroid"] == pytest.approx([xs.mean() + 0.5, ys.mean() + 0.5], abs=1.0)
    assert facts["area"] == pytest.approx(mask.mean(), rel=0.1)
    wrong = visitor.post("masks", params={"picture": name}, content=png(np.zeros((40, 40), np.uint8)))
    assert wrong.status_code == 422
    assert "paint it on a view of the whole image" in wrong.json()["detail"]
    empty = visitor.post("masks", params={"picture": name}, content=png(np.zeros((61, 90), np.uint8)))
    assert (empty.status_code, "empty" in empty.json()["detail"]) == (422, True)


@pytest.mark.parametrize("kind", ["move", "remove", "paste", "appearance", "drag", "landmarks"])
def test_scenes_of_every_kind(visitor, kind):
    answer = visitor.post("scenes", json={"seed": 3, "kind": kind}).json()
    assert answer["picture"]["prompt"]
    assert (answer["second"] is not None) == (kind in ("paste", "appearance"))
    assert bool(answer["picture"]["landmarks"]) == (kind == "landmarks")


def test_recipes_with_shapes_and_titles_become_files_of_the_session(visitor, picture, mask):
    visitor.send(png(picture), "cup.png")
    recipe = {"recipe": 1, "image": "photos/cup.png", "edits": [{"edit": "remove", "mask": {"box": [16, 20, 40, 44]}}]}
    restored = visitor.post("recipes", content=json.dumps(recipe | {"model": "other"})).json()
    (name,) = restored["masks"]
    assert restored["recipe"]["edits"][0]["mask"] == name
    assert restored["masks"][name]["box"] == [16, 20, 40, 44]
    assert "made with other" in restored["notes"][0]
    missing = visitor.post("recipes", content=json.dumps(recipe | {"image": "photos/none.png"}))
    assert missing.status_code == 422
    assert "open it first" in missing.json()["detail"]


def test_exports(visitor, editor, picture, mask, tmp_path, monkeypatch, capsys):
    recipe = visitor.recipe(picture, mask, prompt="it's", seed=5)
    job = visitor.edit(recipe)
    exported = visitor.post("exports", json={"recipe": recipe}).json()
    archive = visitor.post("exports/files", json={"recipe": recipe})
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        assert sorted(files.namelist()) == sorted(["recipe.json", *exported["files"]])
        files.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    expected = image_of(visitor.get(f"jobs/{job['id']}/result"))
    monkeypatch.setattr(Editor, "from_pretrained", lambda: editor)
    exec(compile(exported["python"], "exported", "exec"), {})
    assert np.array_equal(read_picture("edited.png"), expected)
    assert np.array_equal(np.asarray(Recipe.load("recipe.json").run(editor).image), expected)
    whole = Recipe.from_json(json.loads(exported["recipe"]), tmp_path / "nowhere")
    assert np.array_equal(np.asarray(whole.run(editor).image), expected)


AS_JSON = {"Content-Type": "application/json"}


def deep(levels):
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "sentence"),
    [
        ("GET", "pictures/../../titles.json", {}, 404, ""),
        ("GET", "pictures/..%2F..%2Ftitles.json", {}, 404, ""),
        ("GET", f"pictures/{'0' * 32}.png", {}, 404, "there is no image"),
        ("GET", "jobs/none", {}, 404, "there is no job"),
        ("GET", "jobs/none/events", {}, 404, "there is no job"),
        ("POST", "jobs", {"json": {}}, 422, "body.recipe: Field required"),
        ("POST", "jobs", {"json": {"recipe": {}, "tries": 0}}, 422, "greater than or equal to 1"),
        ("POST", "jobs", {"json": {"recipe": {}, "more": 1}}, 422, "body.more"),
        ("POST", "jobs", {"content": b"{", "headers": AS_JSON}, 422, "JSON decode error"),
        ("POST", "jobs", {"content": deep(40_000), "headers": AS_JSON}, 422, "nested too deeply"),
        ("POST", "scenes", {"content": b"\xff", "headers": AS_JSON}, 422, "no JSON in UTF-8"),
        ("POST", "selections", {"json": {"picture": 3}}, 422, "valid string"),
        (
            "POST",
            "selections",
            {"content": '{"picture": "x", "points": [[NaN, 1]]}', "headers": AS_JSON},
            422,
            "finite",
        ),
        ("POST", "recipes", {"content": b"\x00\x01"}, 422, "valid JSON"),
        ("POST", "recipes", {"content": b"\xff\x00"}, 422, "neither"),
        ("POST", "recipes", {"content": deep(40_000)}, 422, "nested too deeply"),
        ("POST", "recipes", {"content": png(np.zeros((9, 9), np.uint8))}, 422, "contains no recipe"),
        ("POST", "scenes", {"json": {"seed": -1}}, 422, "greater than"),
        ("POST", "scenes", {"json": {"kind": "teleport"}}, 422, "Input should be"),
        ("POST", "pictures", {"content": b"\x00" * (2**20 + 1)}, 413, "more than 1 MB"),
        ("POST", "pictures", {"content": iter([b"\x00" * 2**19] * 3)}, 413, "more than 1 MB"),
    ],
)
def test_what_is_malformed_is_answered_in_a_sentence(visitor, method, path, options, status, sentence):
    answer = visitor.ask(method, path, **options)
    assert answer.status_code == status, answer.text
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"image": "/etc/passwd"}, 422, "lies outside"),
        ({"image": "../titles.json"}, 422, "lies outside"),
        ({"image": "0" * 32 + ".png"}, 404, "there is no image"),
        ({"image": "sub/x.png"}, 422, "is not the name of an image"),
        ({"image": "data:image/svg+xml,<svg/>"}, 422, "data of another kind"),
        ({"image": 3}, 422, "expected"),
        ({"edits": []}, 422, "edits is empty"),
        ({"edits": [{"edit": "remove", "mask": "/etc/passwd"}]}, 422, "lies outside"),
        (
            {"edits": [{"edit": "remove", "mask": {"size": [10**6, 10**6], "counts": [10**12]}}]},
            422,
            "must be a whole number",
        ),
        ({"edits": [{"edit": "remove", "mask": {"size": [61, 90], "counts": "~"}}]}, 422, "run lengths"),
        ({"edits": [{"edit": "drag", "points": [[[1, 1], [2, 2]]] * 2000}]}, 422, "points has 2,000 pairs"),
        ({"edits": [{"edit": "explode"}]}, 422, "unknown"),
        ({"settings": {"steps": 10**9}}, 422, "from 1 to 1000 steps"),
        ({"settings": {"steps": 999}}, 422, "takes at most"),
        ({"settings": {"steps": 20, "inversion_iterations": 99}}, 422, "takes at most"),
        ({"settings": {"energy_grid": 1000}}, 422, "from 1 to 4 cells"),
        ({"settings": {"working_size": 4096}}, 422, "takes at most"),
        ({"model": "/etc"}, 422, "leave model, loras, prediction out"),
        ({"prediction": "v"}, 422, "leave model, loras, prediction out"),
        ({"loras": ["/etc/x"]}, 422, "leave model, loras, prediction out"),
    ],
)
def test_hostile_recipes(visitor, picture, mask, change, status, sentence, tmp_path_factory):
    recipe = visitor.recipe(picture, mask) | change
    for path in ("jobs", "previews", "exports"):
        answer = visitor.post(path, json={"recipe": recipe})
        if path == "exports" and ("settings" in change or "drag" in str(change)):
            continue  # what is too much for the server may be taken elsewhere
        assert answer.status_code == status, (path, answer.text)
        detail = answer.json()["detail"]
        assert sentence in detail, path
        assert str(tmp_path_factory.getbasetemp()) not in detail  # nothing of the server's paths


def test_what_cannot_work_is_said_at_once(visitor, picture, mask):
    recipe = visitor.recipe(picture, mask)
    recipe["edits"][0]["offset"] = [500, 0]
    for path in ("jobs", "previews"):
        answer = visitor.post(path, json={"recipe": recipe})
        assert answer.status_code == 422
        assert "moves the object out of the 90x61" in answer.json()["detail"]


def test_sessions_see_nothing_of_each_other(client, visitor, picture, mask):
    recipe = visitor.recipe(picture, mask)
    job = visitor.edit(recipe)
    other = Visitor(client)
    for path in (f"pictures/{recipe['image']}", f"jobs/{job['id']}", f"jobs/{job['id']}/result"):
        assert other.get(path).status_code == 404
    assert other.post("jobs", json={"recipe": recipe}).status_code == 404
    assert other.get("session").json()["pictures"] == []
    assert client.get("/api/session").status_code == 401
    kept = visitor.get("session").json()
    assert [one["id"] for one in kept["jobs"]] == [job["id"]]
    assert visitor.ask("DELETE", "session").status_code == 204
    assert visitor.get("session").status_code == 401


def test_only_known_hosts_are_answered(service):
    client = TestClient(application(service, page=False), base_url=HERE)
    assert client.get("/api/health", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/api/health", headers={"Host": "127.0.0.1:7860"}).status_code == 200


def test_a_model_that_cannot_be_loaded_is_said(tmp_path, picture, mask):
    def load():
        raise ValueError("checkpoint none does not exist; give another")

    with TestClient(application(service_with(load, tmp_path, Limits()), page=False), base_url=HERE) as client:
        visitor = Visitor(client)
        job = visitor.edit(visitor.recipe(picture, mask))
        assert job["state"] == "failed"
        assert "checkpoint none does not exist" in job["error"]
        assert client.get("/api/health").json()["status"] == "failed"


def test_an_edit_that_fails_alone(visitor, service, picture, mask, monkeypatch):
    engine, recipe = service.engines[0], visitor.recipe(picture, mask)
    engine._inversions.clear()
    with monkeypatch.context() as broken:
        broken.setattr(Editor, "__call__", lambda *a, **k: 1 / 0)
        job = visitor.edit(recipe)
    assert (job["state"], "its log says what" in job["error"]) == ("failed", True)
    with monkeypatch.context() as broken:
        broken.setattr(EditJob, "end", lambda *a, **k: 1 / 0)
        job = visitor.edit(recipe)
    assert (job["state"], "its log says what" in job["error"]) == ("failed", True)
    done = visitor.edit(recipe)
    assert done["state"] == "done"
    assert visitor.get(f"jobs/{done['id']}/frame").status_code == 404, "images of its way are not kept"


def test_the_description_of_the_api_names_everything(client):
    described = client.get("/api/openapi.json").json()
    assert {"/api/jobs", "/api/jobs/{name}/events", "/api/previews", "/api/selections"} <= described["paths"].keys()
    assert described["components"]["schemas"]["JobFacts"]["properties"]["seconds_left"]
    page = client.get("/api").text
    assert "http://" not in page.replace(HERE, "")
    assert "https://" not in page
    assert client.get("/api/swagger/swagger-ui-bundle.js").status_code == 200
    assert client.get("/api/schema").json()["$defs"].keys() >= {"move", "paste"}
    assert client.get("/api/version").json()["dragondiffusion"]


def test_jobs_of_sessions_that_are_removed_are_forgotten(editor, tmp_path, picture, mask):
    service = service_with(lambda: editor, tmp_path, Limits(sessions=1))
    with TestClient(application(service, page=False), base_url=HERE) as client:
        first = Visitor(client)
        job = first.edit(first.recipe(picture, mask))
        session = service.sessions.find(first.token)
        assert [one.id for one in service.queue.of(session)] == [job["id"]]
        session.used = time.monotonic() - 1e6
        service.sessions.sweep()
        assert service.queue.of(session) == []
        assert first.get("session").status_code == 401


def test_a_full_disk_is_said_and_the_server_goes_on(visitor, picture, mask, monkeypatch):
    recipe = visitor.recipe(picture, mask)
    done, back = visitor.edit(recipe), np.uint8(255 * mask)
    painted = visitor.post("masks", params={"picture": recipe["image"]}, content=png(back)).json()["name"]
    write = sessions.write_file

    def full(target, fill):
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(sessions, "write_file", full)
    for answer in (
        visitor.post("pictures", content=png(picture[::-1])),
        visitor.post("jobs", json={"recipe": recipe}),
        visitor.post("masks", params={"picture": recipe["image"]}, content=png(back[::-1])),
        visitor.post("selections", json={"picture": recipe["image"], "points": [[20, 20]]}),
        visitor.post(f"jobs/{done['id']}/painted", json={"mask": painted}),
        visitor.post("scenes", json={"seed": 3, "kind": "move"}),
        visitor.client.post("/api/session"),
    ):
        assert answer.status_code == 507 and "no room on its disk" in answer.json()["detail"]
    monkeypatch.setattr(sessions, "write_file", write)
    job = visitor.post("jobs", json={"recipe": {**recipe, "settings": {"steps": 30}}}).json()["id"]
    monkeypatch.setattr(sessions, "write_file", full)
    found = visitor.finished(job)
    monkeypatch.setattr(sessions, "write_file", write)
    assert found["state"] in ("done", "failed")
    assert (
        "no room on its disk" in found["error"]
        if found["state"] == "failed"
        else "could not write" in found["notes"][-1]
    )
    assert visitor.edit(recipe)["state"] == "done"


def test_sessions_that_end_meanwhile_are_said_to_be_over(client, picture, monkeypatch):
    visitor = Visitor(client)
    write = sessions.write_file

    def ending(target, fill):
        monkeypatch.setattr(sessions, "write_file", write)
        assert visitor.ask("DELETE", "session").status_code == 204
        return write(target, fill)

    monkeypatch.setattr(sessions, "write_file", ending)
    answer = visitor.post("pictures", content=png(picture))
    assert answer.status_code == 401 and "is unknown or over" in answer.json()["detail"]


INDEX = b'{"metadata": {"total_size": 4}, "weight_map": {"unet.conv_in.weight": "model-00001-of-00002.safetensors"}}'
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"


@pytest.mark.parametrize("data", [INDEX, EPS, b"", b"%PDF-1.7", b"<svg/>", b"RIFF0000WAVE", b"PK\x03\x04", b"\x80\x04"])
def test_what_people_bring_is_refused_in_a_sentence(visitor, picture, data):
    image = visitor.send(png(picture))["name"]
    for path, options in (("pictures", {}), ("masks", {"params": {"picture": image}}), ("recipes", {})):
        answer = visitor.post(path, content=data, **options)
        assert answer.status_code == 422, (path, answer.text)
        assert re.search(r"; (give|correct|paint|encode) |; \w+ ", answer.json()["detail"]), answer.text


def test_names_as_long_as_those_of_files_are_kept(visitor, picture, mask):
    recipe = visitor.recipe(picture, mask)
    title = "\u00e4" * 251 + ".png"
    assert visitor.send(png(picture), title)["title"] == title
    job = visitor.edit(recipe)
    assert job["result"]["title"] == "\u00e4" * 240 + " edited.png"
    names = visitor.post("exports", json={"recipe": recipe}).json()["files"]
    assert max(map(len, names)) < 120
    answer = visitor.post("pictures", params={"title": "a" * 256}, content=png(picture))
    assert answer.status_code == 422 and "at most 255 characters" in answer.json()["detail"]


def test_sessions_that_end_while_they_are_used_are_said_to_be_over(client, picture):
    """Uploads, edits, lists and the end of a session at the same time."""
    for _ in range(5):
        visitor = Visitor(client)
        visitor.send(png(picture))
        statuses = []

        def one(k, visitor=visitor, statuses=statuses):
            for j in range(4):
                shifted = np.roll(picture, 4 * k + j, 1)
                statuses.append(visitor.post("pictures", content=png(shifted)).status_code)
                statuses.append(visitor.get("session").status_code)

        threads = [threading.Thread(target=one, args=(k,)) for k in range(3)]
        for thread in threads:
            thread.start()
        assert visitor.ask("DELETE", "session").status_code == 204
        for thread in threads:
            thread.join()
        assert set(statuses) <= {200, 401} and len(statuses) == 24
        assert visitor.get("session").status_code == 401
