"""Lost workers: whether the images they had are to blame, or whatever they do they are lost."""

from dataclasses import dataclass, field

from .jobs import BatchJob, Model


@dataclass
class Losses:
    """Workers lost one after the other, with nothing coming back.

    An image that costs its worker is counted once, however often it is tried: many jobs on it are no sign that other
    images would fare the same.

    Args:
        images: those in a row that had cost no worker before, by the first job on each.
        loading: workers in a row that were lost before they had loaded a model.
    """

    images: dict[str, BatchJob] = field(default_factory=dict[str, BatchJob])
    loading: int = 0
    _known: set[str] = field(default_factory=set[str])
    _hopeless: set[str] = field(default_factory=set[str])

    @property
    def count(self) -> int:
        """How many there are in a row."""
        return len(self.images) + self.loading

    def answered(self, asked: Model | BatchJob) -> None:
        """Something came back: a loaded model does not say that edits can be made, a job does."""
        self.loading = 0
        if isinstance(asked, BatchJob):
            self.images.clear()

    def add(self, asked: Model | BatchJob | None, new: bool) -> None:
        """Counts a loss.

        Args:
            asked: what the worker was about.
            new: the job had cost no worker before.
        """
        if not isinstance(asked, BatchJob):
            self.loading += 1
        elif new and asked.image not in self._known:
            self.images[asked.image] = asked
        if isinstance(asked, BatchJob):
            self._known.add(asked.image)

    def failed(self, job: BatchJob) -> None:
        """A job has cost its worker so often that it failed for good."""
        self._hopeless.add(job.shared)

    def hopeless(self, job: BatchJob) -> bool:
        """Whether another job that shares its inversion has, so that one try is enough for this one."""
        return job.shared in self._hopeless

    def said(self, asked: Model | BatchJob | None, why: str) -> str:
        """Why the batch gives up."""
        what = f"while they made edits of {len(self.images)} images" if self.images else f"while they loaded {asked}"
        return (
            f"{self.count} workers in a row were lost {what}, and nothing came back ({why}); give them more memory, "
            "use fewer --jobs, or a longer --timeout if there is one"
        )
