"""What all commands of the command line are, so that every module of front ends can hold some."""

from abc import ABC, abstractmethod


class Incomplete(Exception):  # noqa: N818  # not an error of the command's
    """A command did what it could, and some of what was asked for failed; the message says how much."""


class Command(ABC):
    """What all commands share."""

    @abstractmethod
    def run(self) -> None:
        """Does it.

        Raises:
            ValueError: bad input.
            OSError: a file that cannot be read or written.
            Incomplete: some of what was asked for failed.
        """
