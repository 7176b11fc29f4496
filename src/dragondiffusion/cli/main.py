"""The command line: one command for every edit, and those that replay, describe and demonstrate.

Commands are dataclasses. Those of edits are made from the edit's own dataclass. Every edit becomes a recipe, and the
recipe is run.

Exit codes: 0 done, 2 bad input (one line on standard error), 3 some jobs of a batch failed, 129, 130 and 143 ended by
the terminal, by Ctrl-C and by SIGTERM, 141 when nobody reads standard output any more.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Union, cast

import tyro

from .. import __version__
from ..batch.commands import Batch, BatchPlan
from ..bench.commands import Bench
from ..console.command import Command, Incomplete
from ..console.settings_options import chosen_settings
from ..core.messages import without_long_words
from ..edits.registry import EDITS
from ..web.command import Web
from .edit_commands import edit_command, listed_command
from .pointing import COMMANDS
from .recipe_commands import Demo, Run, Schema

__all__ = ["chosen_settings", "edit_command", "main", "parse"]


def parse(arguments: Sequence[str]) -> Command:
    """The command that the arguments describe; ends the process where they are wrong or ask for help."""
    asked = arguments[0] if arguments else None
    commands: list[Any] = [
        Annotated[edit_command(name) if name == asked else listed_command(name), tyro.conf.subcommand(name)]
        for name in EDITS
    ]
    commands += [
        Annotated[kind, tyro.conf.subcommand(kind.__name__.lower())] for kind in (Run, Schema, Demo, Web, Bench)
    ]
    commands += [Annotated[kind, tyro.conf.subcommand(name)] for name, kind in COMMANDS.items()]
    commands += [
        Annotated[Batch, tyro.conf.subcommand("batch")],
        Annotated[BatchPlan, tyro.conf.subcommand("batch-plan")],
    ]
    return tyro.cli(
        cast(Any, Union[tuple(commands)]),  # noqa: UP007  # made at run time
        prog="dragondiffusion",
        description="Drag-style image editing on pre-trained diffusion models (DragonDiffusion, arXiv 2307.02421).\n\n"
        "--version prints the version.",
        args=arguments,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _prepare_output()
    _end_like_interrupted()
    try:
        if sys.flags.optimize > 1:
            raise ValueError("python -OO removes docstrings, which transformers reads; use -O or none")
        if list(arguments) == ["--version"]:
            print(f"dragondiffusion {__version__}")
            return 0
        command = parse(arguments)
        for library in ("TRANSFORMERS", "DIFFUSERS"):  # read when they are imported, which parsing does not
            os.environ.setdefault(f"{library}_VERBOSITY", "error")
        command.run()
        sys.stdout.flush()
    except BrokenPipeError as error:
        return _unread(error)
    except KeyboardInterrupt as end:
        with contextlib.suppress(OSError):  # the terminal may be gone
            print("interrupted", file=sys.stderr)
        return 128 + (end.number if isinstance(end, Ended) else signal.SIGINT)
    except Incomplete as problem:
        print(f"incomplete: {problem}", file=sys.stderr)
        return 3
    except (ValueError, OSError, MemoryError) as error:
        return _failed(error)
    return 0


def _prepare_output() -> None:
    """Lets every name be printed, whatever the encoding of the terminal, and everything where output is closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Ended(KeyboardInterrupt):
    """The process is asked to end by a signal, and does so as after Ctrl-C.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _end_like_interrupted() -> None:
    """Lets commands end in order where their terminal is closed or a scheduler ends them."""
    if threading.current_thread() is not threading.main_thread():
        return

    terminals = [number for number in (1, 2) if os.isatty(number)]

    def end(number: int, _: object) -> None:
        if number != signal.SIGTERM:  # the terminal is gone, and writing to it would be an error
            for terminal in terminals:
                os.dup2(os.open(os.devnull, os.O_WRONLY), terminal)
        raise Ended(number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # else somebody decided, such as `nohup`
            signal.signal(number, end)


def _failed(error: Exception) -> int:
    print(f"error: {without_long_words(' '.join(str(error).split()))}", file=sys.stderr)
    return 2


def _unread(error: BrokenPipeError) -> int:
    """Ends quietly where nobody reads standard output any more, such as behind `| head -1`."""
    poll = select.poll()
    poll.register(sys.stdout, 0)
    if not any(event & select.POLLERR for _, event in poll.poll(0)):
        return _failed(error)  # another pipe
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main())
