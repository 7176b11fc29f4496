"""The input painted back into results: which pixels they have, and what their files say."""

import io
import json

import cv2
import numpy as np
import pytest
from PIL import Image

from dragondiffusion.imaging.photos import read_photo
from dragondiffusion.imaging.writing import write_picture
from dragondiffusion.recipes import Recipe, made_with
from dragondiffusion.web.painted_back import mixed_photo
from dragondiffusion.web.queue import EditJob

from .visitor import Visitor, png

SIZE = (64, 96)
WHERE = np.uint8(np.rint(255 * np.tile(np.clip(np.linspace(2, -1, SIZE[1]), 0, 1), (SIZE[0], 1))))
"""White at the left, fading to black."""


@pytest.fixture(scope="module")
def done(client, rng_picture):
    """A visitor, a finished job, a mask painted on its input, and the image with the input painted back there."""
    visitor = Visitor(client)
    thing = np.zeros(SIZE, bool)
    thing[20:40, 30:50] = True
    recipe = visitor.recipe(rng_picture, thing)
    job = visitor.edit(recipe)
    painted = visitor.post("masks", params={"picture": recipe["image"]}, content=png(WHERE)).json()["name"]
    answer = visitor.post(f"jobs/{job['id']}/painted", json={"mask": painted})
    assert answer.status_code == 200, answer.text
    return visitor, job, painted, answer.json()


@pytest.fixture(scope="module")
def rng_picture():
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def pixels(visitor, name):
    data = visitor.get(f"pictures/{name}").content
    return data, np.array(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_each_pixel_is_that_of_the_input_or_the_result_or_between(done, rng_picture):
    visitor, job, _, facts = done
    assert facts["title"] == job["result"]["title"]
    (_, back), (_, result) = pixels(visitor, facts["name"]), pixels(visitor, job["result"]["name"])
    assert (result[WHERE == 255] != rng_picture[WHERE == 255]).any()  # else there is nothing to paint back
    assert np.array_equal(back[WHERE == 255], rng_picture[WHERE == 255])
    assert np.array_equal(back[WHERE == 0], result[WHERE == 0])
    low, high = np.minimum(rng_picture, result), np.maximum(rng_picture, result)
    assert ((back >= low) & (back <= high)).all()


def test_files_say_that_the_input_was_painted_back(client, done, tmp_path):
    visitor, job, painted, facts = done
    data, _ = pixels(visitor, facts["name"])
    path = tmp_path / "back.png"
    path.write_bytes(data)
    (tmp_path / "result.png").write_bytes(visitor.get(f"jobs/{job['id']}/result").content)
    assert Recipe.load(path).seed == job["seed"]
    share = f"over {WHERE.mean() / 2.55:.0f} % of the image"
    assert made_with(path)["the input painted back"] == share
    assert "the input painted back" not in made_with(tmp_path / "result.png")
    notes = Visitor(client).post("recipes", content=data).json()["notes"]
    assert [note for note in notes if "painted back" in note and share in note]
    # The same stroke again is the same image; the job knows what came of its result.
    again = visitor.post(f"jobs/{job['id']}/painted", json={"mask": painted}).json()
    assert again["name"] == facts["name"]
    assert visitor.get(f"jobs/{job['id']}").json()["painted"] == [again["name"]]
    assert again["name"] in [one["name"] for one in visitor.get("session").json()["pictures"]]


def test_they_are_known_after_the_server_was_killed(done, service):
    visitor, job, painted, facts = done
    session = service.sessions.find(visitor.token)
    record = session.jobs()[job["id"]]
    assert EditJob.read(session, job["id"], record).painted == {painted: facts["name"]}
    old = {name: value for name, value in record.items() if name != "painted"}
    assert EditJob.read(session, job["id"], json.loads(json.dumps(old))).painted == {}


def test_what_cannot_be_is_refused_in_a_sentence(client, done, rng_picture):
    visitor, job, painted, _ = done
    smaller = visitor.send(png(rng_picture[:-8]))["name"]
    other = visitor.post("masks", params={"picture": smaller}, content=png(WHERE[:-8])).json()["name"]
    refused = visitor.post(f"jobs/{job['id']}/painted", json={"mask": other})
    assert (refused.status_code, "another image" in refused.json()["detail"]) == (422, True)
    missing = visitor.post(f"jobs/{job['id']}/painted", json={"mask": f"{'0' * 32}.png"})
    assert (missing.status_code, "no image" in missing.json()["detail"]) == (404, True)
    assert Visitor(client).post(f"jobs/{job['id']}/painted", json={"mask": painted}).status_code == 404


def test_a_job_without_a_result_has_nothing_to_paint_on(done, service):
    visitor, job, painted, _ = done
    session = service.sessions.find(visitor.token)
    waiting = service.queue._jobs[job["id"]].__class__(session, job["recipe"])
    service.queue._jobs[waiting.id] = waiting
    none = visitor.post(f"jobs/{waiting.id}/painted", json={"mask": painted})
    assert (none.status_code, none.json()["detail"]) == (404, "the job has no result: it is waiting")


def test_sixteen_bits_and_transparency_come_back(rng_picture, tmp_path):
    weight = WHERE.astype(np.float32) / 255
    deep = (rng_picture.astype(np.uint16) << 8) | np.uint16(77)
    cv2.imwrite(str(tmp_path / "deep.png"), deep[..., ::-1])
    Image.fromarray(255 - rng_picture).save(tmp_path / "result.png")
    image = mixed_photo(read_photo(tmp_path / "deep.png"), read_photo(tmp_path / "result.png"), weight)
    write_picture(image, tmp_path / "back.png")
    back = cv2.imread(str(tmp_path / "back.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert back.dtype == np.uint16
    assert np.array_equal(back[WHERE == 255], deep[WHERE == 255])
    opacity = np.full(SIZE, 255, np.uint8)
    opacity[:, :10] = 90
    clear = read_photo(Image.fromarray(np.dstack((rng_picture, opacity))))
    image = mixed_photo(clear, read_photo(tmp_path / "result.png"), weight)
    assert np.array_equal(np.asarray(image)[..., 3], opacity)  # the brush was there
    image = mixed_photo(read_photo(tmp_path / "result.png"), clear, 1 - weight)
    assert np.array_equal(np.asarray(image)[..., 3], opacity)  # it was not
