"""What messages quote of what was given, cut where it is long."""

LONGEST = 120
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
