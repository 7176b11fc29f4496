"""Cases are read as they lie there; damage is named, and nothing is unpickled."""

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from compiling import compiled
from dragbench_cases import SIZE, map_of_places, write_case
from dragondiffusion import Settings
from dragondiffusion.bench.dragbench import cases as C
from dragondiffusion.core.types import Canvas

ROOT = Path(__file__).parents[2]


def test_cases_and_categories_are_found_and_damage_is_named(tmp_path):
    for name in ("one", "art/two", "art/three"):
        write_case(tmp_path / name)
    write_case(tmp_path / "odd", points=((1, 1), (9, 9), (3, 3)))
    write_case(tmp_path / "still", points=((9, 9), (9, 9)))
    write_case(tmp_path / "text", prompt=3)
    write_case(tmp_path / "small", mask=Image.new("L", (9, 9), 255))
    write_case(tmp_path / "flag", points=((True, 1), (2, 2)))
    (write_case(tmp_path / "gone") / "original_image.png").unlink()
    (write_case(tmp_path / "broken") / "mask.png").write_bytes(b"\x89PNG no")
    (write_case(tmp_path / "json") / "drag_instruction.json").write_text("[1, 2")
    (tmp_path / "empty").mkdir()
    write_case(tmp_path / "__MACOSX" / "one")
    cases, problems = C.read_cases(tmp_path)
    assert [case.name for case in cases] == ["art/three", "art/two", "one"]
    said = {
        "odd": "handle, target",
        "still": "nothing to drag",
        "text": "prompt is 3",
        "small": r"\(9, 9\)",
        "flag": r"points\[0\]",
        "gone": "original_image.png does not exist",
        "broken": "mask",
        "json": "not valid JSON",
        "empty": "drag_instruction.json does not exist",
    }
    assert problems.keys() == said.keys()
    for name, words in said.items():
        assert re.search(words, problems[name]), (name, problems[name])
    with pytest.raises(ValueError, match="holds no cases"):
        C.read_cases(tmp_path / "__MACOSX" / "one")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        C.read_cases(tmp_path / "nowhere")


class Trap:
    """An object whose pickle makes a file when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_pickles_are_never_opened(tmp_path):
    trap = pickle.dumps(Trap(tmp_path / "sprung"))
    write_case(tmp_path / "cases" / "both")
    for name in ("both", "only"):
        folder = tmp_path / "cases" / name
        folder.mkdir(exist_ok=True)
        (folder / "meta_data.pkl").write_bytes(trap)
    cases, problems = C.read_cases(tmp_path / "cases")
    assert [case.name for case in cases] == ["both"]
    assert "meta_data.pkl is not opened" in problems["only"] and "docs/dragbench.md" in problems["only"]
    assert not (tmp_path / "sprung").exists()
    pickle.loads(trap)
    assert (tmp_path / "sprung").exists()


def test_the_script_of_the_docs_converts_pickles_and_springs_no_trap(tmp_path):
    script = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "dragbench.md").read_text(), re.DOTALL)[1]

    def convert(folder):
        return subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False)

    mask = np.zeros(SIZE, np.uint8)
    mask[8:36, 8:50] = 1
    good = tmp_path / "good" / "case"
    good.mkdir(parents=True)
    Image.fromarray(map_of_places()).save(good / "original_image.png")
    held = {"prompt": "a cup", "points": [[np.int64(20), 20], (30, 22)], "mask": mask}
    (good / "meta_data.pkl").write_bytes(pickle.dumps(held))
    assert convert(tmp_path / "good").stderr == ""
    (case,), problems = C.read_cases(tmp_path / "good")
    assert problems == {} and (case.mask == mask).all() and case.pairs == (((20.5, 20.5), (30.5, 22.5)),)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "meta_data.pkl").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    assert "is no plain value" in convert(tmp_path / "bad").stderr
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "zeros and ones"])
def test_masks_of_every_mode_say_the_same(mode, tmp_path):
    inside = np.zeros(SIZE, bool)
    inside[8:36, 8:50] = True
    if mode == "I;16":
        image = Image.fromarray(inside.astype(np.uint16) * 65535)
    elif mode == "zeros and ones":
        image = Image.fromarray(inside.astype(np.uint8))
    else:
        image = Image.fromarray(inside.astype(np.uint8) * 255).convert(mode)
    case = C.read_case(write_case(tmp_path / "a", mask=image), "a")
    assert (case.mask == inside).all() and case.notes == ()


@pytest.mark.parametrize(
    ("points", "notes"),
    [
        (((20, 20), (30, 22)), 0),
        (((20, 20), (55, 40)), 1),
        (((-3, 20), (70, 44)), 4),
        (((20, 20), (30, 22), (9, 9), (9, 9)), 1),
        (((20, 20), (60, 44)), 1),
        (((0, 0), (60, 44), (20.25, 20), (30, 10), (10, 30), (20, 30)), 2),
    ],
)
def test_untidy_points_still_make_an_edit(points, notes, tmp_path):
    case = C.read_case(write_case(tmp_path / "a", points=points), "a")
    assert len(case.notes) == notes
    assert all(case.mask[int(y), int(x)] for pair in case.pairs for x, y in pair)
    made = compiled(case.edit(), Canvas(SIZE, 16, 4, 2), Settings())
    assert made.changed.shape == (48, 64)


@pytest.mark.parametrize("value", [0, 255])
def test_masks_of_nothing_and_of_everything_still_make_an_edit(value, tmp_path):
    case = C.read_case(write_case(tmp_path / "a", mask=Image.new("L", SIZE[::-1], value)), "a")
    assert bool(case.mask.all()) == (value == 255)
    compiled(case.edit(), Canvas(SIZE, 16, 4, 2), Settings())


@pytest.mark.slow
@pytest.mark.skipif("DRAGBENCH" not in os.environ, reason="the environment variable DRAGBENCH names no folder of cases")
def test_every_published_case_is_taken():
    cases, problems = C.read_cases(Path(os.environ["DRAGBENCH"]))
    assert problems == {}
    for case in cases:
        compiled(case.edit(), Canvas(case.size, 64, 8, 2), Settings())
