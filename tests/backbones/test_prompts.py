"""What is said of prompts: words that do not count, and what is read otherwise elsewhere."""

import pytest

from checkpoints import flux, sd3, sd15, sdxl
from dragondiffusion import Editor, Move, Settings
from dragondiffusion.backbones.prompts import beyond, not_understood

FEW = Settings(steps=2, energy_scale=0.0)


def words(text):
    return len(text.split()) + 2


def test_words_beyond_the_encoders_tokens():
    """Of words of one token each, all but the limit's are left out; of a long word nothing is half read."""
    text = " ".join(f"w{k}" for k in range(100))
    assert beyond(text, 77, words) == " ".join(f"w{k}" for k in range(75, 100))
    assert beyond(" ".join(f"w{k}" for k in range(75)), 77, words) == ""
    assert beyond("short", 3, words) == ""
    assert beyond("a long one", 5, lambda text: len(text) + 2) == "long one"
    assert beyond("enormous", 5, lambda text: len(text) + 2) == "enormous"


@pytest.mark.parametrize("kind", [sd15, sdxl])
def test_tokens_are_those_of_the_models_own_tokenizers(kind, data):
    """What is left fits, and one word more does not."""
    pipe = kind(data)
    backbone, text = Editor(pipe).backbone, " ".join(f"cup{k} table" for k in range(40))
    tokens = lambda text: len(pipe.tokenizer(text).input_ids)  # noqa: E731
    dropped = beyond(text, 77, tokens)
    kept = text.removesuffix(dropped)
    assert tokens(kept) <= 77 < tokens(f"{kept} {dropped.split()[0]}")
    assert backbone.prompt_notes(kept) == ()
    assert backbone.prompt_notes(text)[0].startswith(
        f'the text encoder reads 77 tokens; left out of the prompt: "{dropped[:200]}'
    )


@pytest.mark.parametrize(("kind", "tokenizer", "limit"), [(sd3, "tokenizer_3", 256), (flux, "tokenizer_2", 512)])
def test_transformers_read_what_t5_reads(kind, tokenizer, limit, data):
    pipe = kind(data)
    backbone, text = Editor(pipe).backbone, "cup table " * 100
    dropped = beyond(text, limit, lambda text: len(pipe.components[tokenizer](text).input_ids))
    assert dropped
    (note,) = backbone.prompt_notes(text)
    assert note.startswith(f'the text encoder reads {limit} tokens; left out of the prompt: "{dropped[:200]}')
    assert backbone.prompt_notes(text[: text.rindex(dropped)]) == ()


@pytest.mark.parametrize(
    ("prompt", "named", "what"),
    [
        ("a (cat:1.3) on a mat", '"(cat:1.3)"', "weights"),
        ("((cat)) and [[dog]]", '"((cat))", "[[dog]]"', "weights"),
        ("a (red cat)1.5, (dog)++", '")1.5", ")++"', "weights"),
        ("a cat <lora:style:0.8>", '"<lora:style:0.8>"', "--lora"),
        ("[cat|dog] and {red|blue}", '"[cat|dog]", "{red|blue}"', "alternatives"),
        ("a cat BREAK a dog", '"BREAK"', "parts of prompts"),
        ("a cat embedding:bad", '"embedding:bad"', "load_textual_inversion"),
    ],
)
def test_syntax_of_other_programs_is_named(prompt, named, what):
    note = not_understood(prompt)
    assert note.startswith(f"{named}: read as plain words here") and what in note


@pytest.mark.parametrize("prompt", ["", "a cat (sitting), 50:50, at 10:30", "C++ and [sic]", "a <cup> of tea"])
def test_plain_prompts_are_left_alone(prompt):
    assert not_understood(prompt) == ""


def test_results_say_it(data, picture, mask):
    """Prompt and negative prompt; the latter counts only with guidance."""
    editor = Editor(sd15(data))
    result = editor(picture, Move(mask, (20, 3)), prompt="a (cup:2)", negative_prompt="a (hat:2)", settings=FEW)
    assert result.notes == (
        'the prompt holds "(cup:2)": read as plain words here, in other programs weights',
        "the negative prompt does not count at guidance_scale 1; choose a larger one",
    )
    guided = Settings(steps=2, energy_scale=0.0, guidance_scale=2.0)
    result = editor(picture, Move(mask, (20, 3)), negative_prompt="a (hat:2)", settings=guided)
    assert [note.split(":")[0] for note in result.notes] == ['the negative prompt holds "(hat']
