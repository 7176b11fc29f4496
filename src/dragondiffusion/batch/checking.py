"""Jobs checked as their workers will find them, without a model: images read, edits tried on them."""

from collections.abc import Iterable, Iterator

from ..core.strict_json import parse_json
from ..recipes import Recipe
from .jobs import BatchJob, Source


def problems(source: Source, jobs: Iterable[BatchJob]) -> Iterator[str | None]:
    """What is wrong with each job; None where nothing is. Jobs that differ in their seed alone are checked once."""
    known: dict[str, str | None] = {}
    for job in jobs:
        if job.recipe not in known:
            known = {job.recipe: problem(source, job)}  # seeds follow each other
        found = known[job.recipe]
        yield None if found is None else f"{job.place}: {found}"


def problem(source: Source, job: BatchJob) -> str | None:
    """What is wrong with a job; None if nothing is."""
    data = {**parse_json(job.recipe, "recipe"), "seed": job.seed}
    try:
        Recipe.from_json(data, source.path.parent, source.allow_outside).check()
    except (ValueError, OSError) as error:
        return str(error)
    return None
