"""What docstrings say about a class and its fields, for the texts that are made from them."""

import inspect
import re


def opening(doc: str | None) -> str:
    """What stands before the list of arguments."""
    return re.split(r"^Args:$", inspect.cleandoc(doc or ""), maxsplit=1, flags=re.MULTILINE)[0].strip()


def arguments(doc: str | None) -> dict[str, str]:
    """Text of each argument by name, in one line."""
    listed = re.search(r"^Args:\n((?:[ ]+.*\n?|\n)+)", inspect.cleandoc(doc or ""), flags=re.MULTILINE)
    found: dict[str, str] = {}
    name = ""
    for line in listed[1].splitlines() if listed else ():
        begin = re.match(r"    (\w+): (.*)", line)
        if begin:
            name, found[begin[1]] = begin[1], begin[2].strip()
        elif name and line.strip():
            found[name] += f" {line.strip()}"
    return found


def class_arguments(kind: type) -> dict[str, str]:
    """Text of each argument of a class by name, those of its bases included."""
    return {name: text for cls in reversed(kind.__mro__) for name, text in arguments(cls.__doc__).items()}
