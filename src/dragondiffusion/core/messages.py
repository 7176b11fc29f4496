"""What messages quote of what was given, cut where it is long."""

import re
import stat
from pathlib import Path

LONGEST = 240
"""Characters of a quoted text that a message shows at most. Source: chosen."""


def cut(text: object, length: int = LONGEST) -> str:
    """A text as a message quotes it: the middle of a long one is left out.

    Args:
        text: what is quoted, such as a path.
        length: characters at most.
    """
    whole = str(text)
    if len(whole) <= length:
        return whole
    head = (length - 3) // 2
    return f"{whole[:head]}...{whole[len(whole) - (length - 3 - head) :]}"


def without_long_words(text: str) -> str:
    """A message in which no word, such as a path from elsewhere, is longer than a message quotes."""
    return re.sub(rf"\S{{{2 * LONGEST},}}", lambda word: cut(word[0]), text)


def is_file(path: Path, name: str) -> bool:
    """Whether there is a file.

    Args:
        path: where.
        name: what it is called in messages.

    Raises:
        ValueError: if no file can be called like that.
    """
    try:  # Path.is_file tells a name that cannot be from one that is free up to Python 3.13 only
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:  # names too long, or with zero bytes
        raise ValueError(f"{name} cannot be opened ({reason(error)}); choose another name") from error


def reason(error: Exception) -> str:
    """Why something failed, without the names that the system repeats."""
    return getattr(error, "strerror", None) or cut(error)
