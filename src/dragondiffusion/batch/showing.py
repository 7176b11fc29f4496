"""The bar of a batch: how many jobs are done, at what rate, and how long the others take."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import ProgressColumn, Task
from rich.text import Text

from ..console.terminal import shown_bars


class Rate(ProgressColumn):
    """Jobs per minute, and how many failed."""

    def render(self, task: Task) -> Text:
        rate = "" if task.speed is None else f"{60 * task.speed:.1f}/min"
        failed = task.fields.get("failed", 0)
        return Text(f"{rate} {failed} failed" if failed else rate)


@contextmanager
def shown_jobs(what: str, total: int, done: int) -> Generator[Callable[[int, int], None]]:
    """Context manager: a function of finished and failed jobs that moves a bar on standard error, if it is a terminal.

    Args:
        what: the bar's name.
        total: jobs.
        done: those that were done before.
    """
    with shown_bars(Rate()) as bars:
        task = bars.add_task(what, total=total, completed=done, failed=0)
        yield lambda finished, failed: bars.update(task, completed=finished + failed, failed=failed)
