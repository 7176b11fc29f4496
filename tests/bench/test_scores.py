"""Scores of results, the rows that are compared, and tables of them."""

import pytest

from dragondiffusion import Geometry, Settings, Window
from dragondiffusion.bench.kinds import KINDS
from dragondiffusion.bench.runs.baselines import unedited_input
from dragondiffusion.bench.runs.rows import USUAL, named, rows, varied
from dragondiffusion.bench.runs.scores import COLUMNS, PARTS, means, score, table
from dragondiffusion.bench.tasks import HELD_OUT, TASKS
from dragondiffusion.edits.settings import PRESETS


@pytest.mark.parametrize("kind", TASKS)
def test_the_truth_has_the_best_scores_and_the_picture_left_alone_the_worst(kind: str):
    task = next(TASKS[kind](1, HELD_OUT, (128, 128)))
    best, worst = score(task.truth, task), score(task.before, task)
    assert best.keys() == worst.keys() and set(best) <= set(COLUMNS)
    for name in best.keys() & {"whole", "surroundings", *PARTS}:
        assert best[name] == 100 and worst[name] < 100
    for name in best.keys() & {"ssim", *(f"ssim {part}" for part in PARTS)}:
        assert best[name] == pytest.approx(1) and worst[name] < 1
    for name, good, bad in (("ghost", 0, 1), ("gone", 1, 0), ("handle", 0, 1), ("landmarks", 0, 1)):
        if name in best:
            assert best[name] == pytest.approx(good, abs=0.2) and worst[name] == pytest.approx(bad, abs=0.2)
    assert (worst["changed outside"], worst["difference outside"], worst["exact outside"]) == (0, 0, 1)
    assert ("warp error" in best) == (kind in ("move", "resize", "rotate", "paste"))
    assert ("surroundings" in best) == (kind != "remove")
    assert ("handle" in best) == (kind == "drag") and ("landmarks" in best) == (kind == "landmarks")
    assert ("ghost" in best) == ("hole" in best) == (kind in ("move", "resize", "rotate", "remove"))


@pytest.mark.parametrize("kind", TASKS)
def test_rows_switch_off_one_thing_each(kind: str):
    chosen = rows(kind, {"steps": 7}, terms=True)
    default = chosen.pop("default")
    assert chosen.pop("unedited input") is unedited_input and default == Settings.preset("default", steps=7)
    assert all(row.steps == 7 for row in chosen.values() if isinstance(row, Settings))
    off = {name: settings for name, settings in chosen.items() if name.startswith("default")}
    assert set(named(rows(kind), [], terms=True)) == set(USUAL) & set(rows(kind))
    assert set(named(chosen, [], terms=True)) > set(off) - {"default without guidance"}
    for settings in off.values():
        changed = [field for field, value in vars(settings).items() if value != getattr(default, field)]
        assert len(changed) == 1 and getattr(settings, changed[0]) in (0, False)
    assert len(off) == 2 + len(KINDS[kind].terms)


@pytest.mark.parametrize("kind", TASKS)
def test_every_term_is_one_of_the_edit(kind: str):
    from dragondiffusion.core.types import Canvas

    canvas = Canvas(picture=(128, 128), multiple=16, factor=4, grid=2)
    task = next(task for task in TASKS[kind](9, HELD_OUT, (128, 128)) if task.scale <= 1)
    objective = task.edit().compiled(canvas, Settings()).objective
    names = {term.name for term in (*objective.edit_terms, *objective.content_terms)}
    assert names == set(KINDS[kind].terms)


def test_turns_give_the_authors_setting_our_geometry():
    assert rows("move")["reference"] == Settings.preset("reference")
    assert rows("rotate", turned=True)["reference"] == Settings.preset("reference", geometry=Geometry.AFFINE)


def test_every_preset_is_a_row():
    assert set(PRESETS) <= set(rows("move"))


def test_latent_copy_asks_the_model_for_samples_alone():
    row = rows("move")["latent copy"]
    assert isinstance(row, Settings) and not row.recall and not row.proxy and row.energy_scale == 0
    assert not any(w and any(w.holds(i, i / 20) for i in range(20)) for w in (row.clamp_rest, row.clamp_destination))


def test_rows_are_chosen_by_name():
    assert list(named(rows("move"), ["default", "unedited input"])) == ["default", "unedited input"]
    assert list(named(rows("move"), [])) == [name for name in rows("move") if name in USUAL]
    with pytest.raises(ValueError, match="row 'best' is unknown; use one of 'unedited input'"):
        named(rows("move"), ["best"])


def test_changes_of_the_default_are_read():
    settings = varied("recall=False energy_scale=None noise=0.1:0.5 guidance=0:0.4:2", {"steps": 9})
    assert settings == Settings(
        steps=9, recall=False, energy_scale=None, noise=Window(0.1, 0.5), guidance=(Window(0, 0.4, every=2),)
    )
    for text, message in (("recall", "no value"), ("recall=maybe", "is no value"), ("recal=True", "unknown")):
        with pytest.raises(ValueError, match=message):
            varied(text)


def test_numbers_are_shown_without_a_negative_zero():
    assert COLUMNS["ghost"].shown(-0.001) == "0.00" and COLUMNS["gone"].shown(0.5) == "50.0 %"
    assert COLUMNS["ssim"].shown(0.98765) == "0.988"


def test_tables_show_means_of_what_there_is():
    results = {"a": [{"whole": 20.0, "handle": 0.5}, {"whole": 30.0, "handle": 0.25}], "b": [{"whole": 10.0}]}
    assert means(results["a"]) == {"whole": 25, "handle": 0.375}
    assert table(results).splitlines() == [
        "| setting | whole | handle |",
        "|---|---|---|",
        "| a | 25.0 | 37.5 % |",
        "| b | 10.0 | - |",
    ]
