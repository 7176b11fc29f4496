"""Inverted images in memory: the last ones used, as many and as large as allowed."""

from dragondiffusion import Settings
from dragondiffusion.pipeline.recent import RecentInversions, nbytes


def test_the_longest_unused_go_first(editor, picture):
    reference = editor.invert(picture, settings=Settings(steps=2))
    size = nbytes(reference)
    assert size >= reference.bank.nbytes + sum(z.nbytes for z in reference.trajectory)
    kept = RecentInversions(2)
    kept.put("a", reference)
    kept.put("b", reference)
    assert kept.get("a") is reference  # used again, so that "b" is the longest unused
    kept.put("c", reference)
    assert kept.get("b") is None and kept.get("a") is reference and kept.nbytes == 2 * size
    small = RecentInversions(9, 2.5 * size)
    for key in "abc":
        small.put(key, reference)
    assert small.get("a") is None and small.nbytes == 2 * size
    small.put("c", reference)
    assert small.nbytes == 2 * size
    kept.clear()
    assert kept.nbytes == 0
