"""What messages quote of what was given, cut where it is long."""

import re
import stat
from pathlib import Path

LONGEST = 240
"""Characters of a quoted text that a message shows at most. Source: chosen."""
_OTHERS = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
"""What is no file, and what it is called; anything else is a device."""


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
    """Whether there is a file, asked before anything of a user is opened: reading a pipe may wait forever.

    Args:
        path: where.
        name: what it is called in messages.

    Returns:
        False where there is nothing.

    Raises:
        ValueError: if it is something else, such as a folder or a pipe, or no file can be called like that.
    """
    try:  # Path.is_file tells a name that cannot be from one that is free up to Python 3.13 only
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:  # names too long, or with zero bytes
        raise ValueError(f"{name} cannot be opened ({reason(error)}); choose another name") from error
    if not stat.S_ISREG(mode):
        kind = next((word for test, word in _OTHERS if test(mode)), "device")
        raise ValueError(f"{name} is a {kind}; give a file")
    return True


def reason(error: Exception) -> str:
    """Why something failed, without the names that the system repeats."""
    return getattr(error, "strerror", None) or cut(error)
