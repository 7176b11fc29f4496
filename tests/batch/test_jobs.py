"""Lines of jobs: what they expand to, and what is refused with its place."""

import json
import re

import jsonschema
import pytest

from batch_lines import job, write
from dragondiffusion import Recipe
from dragondiffusion.batch.folder import Shard
from dragondiffusion.batch.jobs import Source
from dragondiffusion.batch.schema import line_schema
from dragondiffusion.core.prediction import PredictionType
from dragondiffusion.core.strict_json import parse_json


def jobs(folder, *lines, **options):
    return Source(write(folder, *lines), **options).jobs()


def recipe(one, folder):
    return Recipe.from_json({**parse_json(one.recipe, "recipe"), "seed": one.seed}, folder)


def test_a_line_is_a_recipe(folder):
    (one,) = jobs(folder, {"recipe": 1, **job(prompt="a cup", seed=7, name="moved")})
    assert (one.name, one.seed, one.place) == ("moved.png", 7, "line 1")
    assert one.pictures == ("cup.png", "cup-mask.png")
    assert (
        recipe(one, folder).to_json()
        == Recipe.from_json({"recipe": 1, **job(prompt="a cup", seed=7)}, folder).to_json()
    )


def test_names_of_lines_without_one_are_their_numbers(folder):
    assert [one.name for one in jobs(folder, job(), "", job(seeds=[1, 2]))] == [
        "000001.png",
        "000003-seed1.png",
        "000003-seed2.png",
    ]


def test_seeds_become_jobs(folder):
    found = jobs(folder, job(name="cup.jpg", seeds=[5, 6]), job(name="{seed}/car", seeds=[5]))
    assert [(one.name, one.seed) for one in found] == [("cup-seed5.jpg", 5), ("cup-seed6.jpg", 6), ("5/car.png", 5)]
    assert found[0].shared == found[1].shared and found[0].id != found[1].id


def test_cells_of_csv_are_what_their_fields_say(folder):
    (folder / "table.csv").write_text(
        "image,mask,x,y,scale,caption,points,seeds\n"
        'cup.png,cup-mask.png,3,-2.5,,"12, a number",,"1,2"\n'
        'car.png,"box:1,1,9,9",4,0,1.5,a car,"[[[1, 2], [3, 4]]]",3\n'
    )
    move = {"edit": "move", "mask": "{mask}", "offset": ["{x}", "{y}"], "scale": "{scale}"}
    drag = {"edit": "drag", "points": [[[1, 2], [3, 4]]]}
    line = {
        "image": "{image}",
        "edits": [move, drag],
        "prompt": "{caption}",
        "for_each": "table.csv",
        "seeds": "{seeds}",
    }
    found = jobs(folder, {**line, "name": "{row}-{image}-{seed}"})
    assert [one.name for one in found] == ["000001-cup.png-1.png", "000001-cup.png-2.png", "000002-car.png-3.png"]
    first, second = recipe(found[0], folder), recipe(found[2], folder)
    assert first.edits[0].offset == (3, -2.5) and first.edits[0].scale == 1.0 and first.prompt == "12, a number"
    assert second.edits[0].scale == 1.5 and type(second.edits[0].mask).__name__ == "BoxMask"
    whole = [{**move, "offset": [1, 0]}, {"edit": "drag", "points": "{points}"}]
    (folder / "table.csv").write_text('image,mask,scale,points\ncar.png,car-mask.png,2,"[[[1, 2], [3, 4]]]"\n')
    (one,) = jobs(folder, {"image": "{image}", "edits": whole, "for_each": "table.csv"})
    assert recipe(one, folder).edits[1].points == (((1, 2), (3, 4)),)


def test_cells_of_jsonl_keep_their_kind(folder):
    rows = [{"by": [3, 4], "k": 1, "mask": {"box": [1, 1, 9, 9]}}, {"by": [5, 0], "k": 2, "mask": "cup-mask.png"}]
    (folder / "table.jsonl").write_text("\n".join(map(json.dumps, rows)))
    edit = {"edit": "move", "mask": "{mask}", "offset": "{by}"}
    line = {"image": "cup.png", "edits": [edit], "prompt": "cup {k} {{of}} 2", "for_each": "table.jsonl"}
    found = jobs(folder, {**line, "name": "cup-{k}"})
    assert [one.name for one in found] == ["cup-1.png", "cup-2.png"]
    assert [recipe(one, folder).edits[0].offset for one in found] == [(3, 4), (5, 0)]
    assert recipe(found[1], folder).prompt == "cup 2 {of} 2"
    assert found[0].shared != found[1].shared, "prompts differ"


def test_a_table_and_the_lines_that_it_stands_for_are_the_same_jobs(folder):
    (folder / "t.csv").write_text("n,x\na,3\nb,4\n")
    line = job(edits=[{"edit": "move", "mask": "cup-mask.png", "offset": ["{x}", 0]}])
    tabled = jobs(folder, {**line, "for_each": "t.csv", "name": "{n}"})
    lines = [
        job(edits=[{"edit": "move", "mask": "cup-mask.png", "offset": [x, 0]}], name=n) for n, x in (("a", 3), ("b", 4))
    ]
    for one, other in zip(tabled, jobs(folder, *lines), strict=True):
        assert (one.name, one.seed) == (other.name, other.seed)
        assert recipe(one, folder).to_json() == recipe(other, folder).to_json()


def test_braces_without_a_table_are_text(folder):
    (one,) = jobs(folder, job(prompt="a {cup}"))
    assert recipe(one, folder).prompt == "a {cup}"


MOVE = {"edit": "move", "mask": "cup-mask.png"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{not json", r"line 2 is not valid JSON .*correct it"),
        ("[1]", r"line 2 is \[1\]; expected an object"),
        (job(image=3), r"line 2: image is 3; expected the path of an image"),
        (job(edits=[]), r"line 2: edits is empty; give 1 to 100 edits"),
        (job(edits=[{**MOVE, "offset": [1]}]), r"line 2: edits\[0\]\.offset is \[1\]; expected \[a number, a number\]"),
        (job(edits=[{**MOVE, "ofset": [1, 2]}]), r'line 2: edits\[0\]: field "ofset" is unknown; known are offset'),
        (job(settings={"steps": 0}), r"line 2: settings: steps=0 must be a whole number from 1"),
        (job(sed=3), r'line 2: field "sed" is unknown; known are'),
        (job(recipe=9), r"line 2: recipe is of version 9"),
        (job(image="none.png"), r"line 2: image none\.png does not exist; check the path"),
        (job(edits=[{**MOVE, "mask": "none.json"}]), r"line 2: edits\[0\]\.mask none\.json does not exist"),
        (job(image="../cup.png"), r"line 2: image \.\./cup\.png lies outside .*--allow-outside"),
        (job(seeds=[]), r"line 2: seeds is \[\]; give at least one"),
        (job(seeds=[1, 1]), r"line 2: seeds is \[1, 1\]; give at least one, each once"),
        (job(seeds=[1.5]), r"line 2: seeds\[0\] is 1\.5; expected a whole number"),
        (job(seeds=[-1]), r"line 2: seed=-1 must be a whole number from 0"),
        (job(seeds=[1], seed=2), r"line 2: seed and seeds are both given; give one"),
        (job(name=""), r'line 2: name is ""; expected a text'),
        (job(name="../up"), r'line 2: name "\.\./up" must be a path inside the output folder'),
        (job(name="/up"), r"line 2: name .* must be a path inside"),
        (job(name="a:b"), r"line 2: name .* must be a path inside"),
        (job(name=".hidden"), r"line 2: name .* must be a path inside"),
        (job(name="{what}"), r'line 2: name asks for column "what", which is none; columns are seed, line, row'),
        (job(name="x" * 300), r"line 2: name .* is too long for a file"),
        (job(name="a.xbm"), r"line 2: name .*\.xbm is no format that holds colour"),
        (job(name="FIRST"), r"line 2: the result FIRST\.png is that of line 1 too; give each a name of its own"),
        (job(for_each=3), r"line 2: for_each is 3; expected the path of a table"),
        (job(for_each="none.csv"), r"line 2: for_each none\.csv does not exist"),
        (job(for_each="cup.png"), r"line 2: for_each cup\.png must end in \.csv or \.jsonl"),
        (job(for_each="../t.csv"), r"line 2: for_each \.\./t\.csv lies outside"),
        (job(for_each="empty.csv"), r"line 2: for_each names a table without rows"),
        (job(for_each="ragged.csv"), r"line 2: for_each ragged\.csv, row 2 has 1 cells and the table 2 columns"),
        (job(for_each="twice.csv"), r"line 2: for_each twice\.csv must name its columns in the first row, each once"),
        (job(for_each="rows.jsonl"), r"line 2: for_each rows\.jsonl, row 2 is 3; expected an object"),
        (job(for_each="good.csv", prompt="{b}"), r'line 2, row 1: prompt asks for column "b", which is none; .* a'),
        (job(for_each="good.csv", prompt="{"), r"line 2, row 1: prompt has a single brace"),
        (
            job(for_each="good.csv", edits=[{**MOVE, "offset": ["{a}", 1]}]),
            r'line 2, row 2: edits\[0\]\.offset\[0\] is "five"; expected a number',
        ),
        (job(for_each="good.csv", name="same"), r"line 2, row 2: the result same\.png is that of line 2, row 1 too"),
        (job(model="other"), r"line 2: model other is not --model mine; leave one of them out"),
    ],
)  # fmt: skip
def test_what_is_not_in_order_is_refused_with_its_place(folder, line, message):
    (folder / "good.csv").write_text("a\n4\nfive\n")
    (folder / "ragged.csv").write_text("a,b\n1,2\n3\n")
    (folder / "twice.csv").write_text("a,a\n1,2\n")
    (folder / "empty.csv").write_text("a,b\n")
    (folder / "rows.jsonl").write_text('{"a": 1}\n3\n')
    model = "mine" if "--model" in message else None
    with pytest.raises((ValueError, FileNotFoundError)) as refused:
        jobs(folder, job(name="first"), line, model=model)
    assert re.match(f"jobs .*jobs.jsonl, {message}", str(refused.value)), refused.value


def test_further_problems_are_counted(folder):
    with pytest.raises(ValueError, match=r"line 1: seed=-1 .* \(and 2 more lines are not in order\)"):
        jobs(folder, job(seed=-1), "x", job(name="fine"), job(image=3))


def test_files_of_jobs_that_are_none(folder):
    with pytest.raises(FileNotFoundError, match=r"jobs none\.jsonl does not exist; check the path"):
        Source(folder.relative_to(folder) / "none.jsonl").jobs()
    with pytest.raises(ValueError, match="holds no jobs; write one recipe on each line"):
        jobs(folder, "")
    (folder / "jobs.jsonl").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ValueError, match="line 1 is not a text in UTF-8"):
        Source(folder / "jobs.jsonl").jobs()


def test_ids_change_with_what_makes_a_result_alone(folder):
    base = jobs(folder, job(name="a", prompt="x"))[0].id
    assert jobs(folder, "", job(name="a", prompt="x"))[0].id == base, "not with the line's place"
    for change in ({"prompt": "y"}, {"seed": 3}, {"name": "b"}, {"settings": {"steps": 3}}, {"model": "m"}):
        assert jobs(folder, job(**{"name": "a", "prompt": "x", **change}))[0].id != base


def test_lines_fit_their_schema(folder):
    schema = jsonschema.Draft202012Validator(line_schema())
    jsonschema.Draft202012Validator.check_schema(line_schema())
    edit = {"edit": "move", "mask": "{mask}", "offset": ["{x}", 0], "scale": "{s}", "flip": "{f}"}
    lines = [
        job(name="a", seeds=[1, 2]),
        {"recipe": 1, **job()},
        {"image": "{image}", "edits": [edit], "for_each": "t.CSV", "seeds": "{seeds}", "settings": {"steps": "{n}"}},
        job(edits=[{"edit": "drag", "points": [["{from}", [3, 4]]]}], for_each="t.jsonl"),
    ]
    assert [list(schema.iter_errors(line)) for line in lines] == [[]] * len(lines)
    wrong = [{"image": "a"}, job(sed=1), job(seeds=[]), job(for_each="t.txt"), job(edits=[{**edit, "offset": 3}])]
    assert not any(schema.is_valid(line) for line in wrong)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shards_are_a_partition_that_keeps_pictures_together(folder, count):
    lines = [job(image=f"{name}.png", name=f"{name}-{k}", seed=k) for k in range(10) for name in ("cup", "car", "logo")]
    every = jobs(folder, *lines)
    shares = [Shard(k + 1, count).share(every) for k in range(count)]
    assert sorted(one.name for share in shares for one in share) == sorted(one.name for one in every)
    assert max(map(len, shares)) <= -(-len(every) // count) + 10
    if count <= 3:
        homes = {one.shared: {k for k, share in enumerate(shares) if one in share} for one in every}
        assert all(len(home) == 1 for home in homes.values())


def test_one_picture_is_divided_when_it_is_more_than_a_share(folder):
    every = jobs(folder, job(seeds=list(range(100))))
    assert [len(Shard(k + 1, 4).share(every)) for k in range(4)] == [25] * 4


def test_what_models_predict_is_said_by_lines_or_for_all(folder):
    (plain,) = jobs(folder, job(name="a"))
    (own,) = jobs(folder, job(name="a", prediction="v"))
    (of_all,) = jobs(folder, job(name="a"), prediction=PredictionType.V)
    (other,) = jobs(folder, job(name="a", prediction="epsilon"), prediction=PredictionType.V)
    assert plain.model.prediction is None and str(plain.model) == "demo model"
    assert own.model.prediction is of_all.model.prediction is PredictionType.V
    assert str(own.model) == "demo model predicting v"
    assert own.id == of_all.id and len({plain.id, own.id, other.id}) == 3
    assert own.recipe == plain.recipe
