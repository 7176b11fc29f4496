"""Pictures of what a run has so far."""

import time

import numpy as np
import pytest

from dragondiffusion import Move, Request, Settings
from dragondiffusion.pipeline.postprocess import PreviewStream


@pytest.fixture
def settings():
    return Settings(steps=6)


def test_the_result_is_the_same_and_the_last_picture_is_like_it(editor, picture, mask, settings):
    seen, edit = [], Move(mask, (20, 5))
    live = PreviewStream(lambda k, pixels, box: seen.append((k, pixels, box)), share=0.99)
    watched = editor(picture, edit, settings=settings, live=live)
    alone = editor(picture, edit, settings=settings)
    assert np.array_equal(np.asarray(watched.image), np.asarray(alone.image))
    assert len(seen) >= 2
    assert {(k, box) for k, _, box in seen} == {(0, (0, 0, 90, 61))}
    off = watched.region == 0
    for _, pixels, _ in seen:
        assert np.array_equal(pixels[off], picture[off])
    difference = [np.abs(pixels.astype(float) - np.asarray(alone.image)).mean() for _, pixels, _ in seen]
    assert difference[-1] == min(difference)


def test_little_time_goes_into_them(editor, picture, mask):
    live = PreviewStream(lambda k, pixels, box: time.sleep(0.05), share=0.1)
    editor(picture, Move(mask, (20, 5)), settings=Settings(steps=40), live=live)
    elapsed = time.perf_counter() - live.begin
    assert 0 < live.spent <= 0.1 * elapsed + 0.2  # and one picture more


def test_every_picture_of_a_batch_is_shown(editor, picture, mask, settings):
    seen = []
    requests = [Request(picture, Move(mask, (20, d)), settings=settings) for d in (5, -5)]
    editor.batch(requests, live=PreviewStream(lambda k, pixels, box: seen.append(k)))
    assert set(seen) == {0, 1}


def test_what_it_raises_ends_the_run(editor, picture, mask, settings):
    class StopError(Exception):
        pass

    def stop(k, pixels, box):
        raise StopError

    before = editor(picture, Move(mask, (20, 5)), settings=settings)
    with pytest.raises(StopError):
        editor(picture, Move(mask, (20, 5)), settings=settings, live=PreviewStream(stop))
    after = editor(picture, Move(mask, (20, 5)), settings=settings)
    assert np.array_equal(np.asarray(before.image), np.asarray(after.image))


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan")])
def test_shares_are_shares(share):
    with pytest.raises(ValueError, match=r"share .* must lie between 0 and 1"):
        PreviewStream(lambda k, pixels, box: None, share)
