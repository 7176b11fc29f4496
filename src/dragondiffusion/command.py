"""What all commands of the command line are, so that every module of front ends can hold some."""

from abc import ABC, abstractmethod


class Command(ABC):
    """What all commands share."""

    @abstractmethod
    def run(self) -> None:
        """Does it.

        Raises:
            ValueError: bad input.
            OSError: a file that cannot be read or written.
        """
