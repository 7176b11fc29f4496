"""The body of a request: as many bytes as its route takes, in time, with as many values as can be parsed quickly."""

import asyncio
import re

from starlette.types import Message, Receive

from .limits import Limits, RefusedError

SILENCE = 10.0
"""Seconds without a byte after which a body is given up."""
GRACE = 30.0
"""Seconds that a body may take, whatever it has."""
RATE = 2**15
"""Bytes a second that it must come with beyond that. Source: chosen, a poor mobile connection."""
SMALL = 2**16
"""Bytes of bodies that hold neither a file nor a recipe."""
DRAINED = 2
"""So many times as much as is taken is read and thrown away, so that a client who is still sending hears why."""

FILES = re.compile(r"/api/(pictures|masks|recipes)/?|/gradio_api/upload/?")
"""Routes whose body is a file."""
RECIPES = re.compile(r"/api/(jobs|previews|exports|exports/files)/?|/gradio_api/(call|queue|run|api)/.*")
"""Routes whose body is JSON that holds a recipe."""
PIECE = 2**18
"""Bytes that are looked at without a pause for others."""
STRUCTURE = (b",", b"[", b"{", b"\\")
"""Bytes that come with every value of a JSON text but the first, and with every escape in its texts."""


def most_bytes(path: str, limits: Limits) -> int:
    """Bytes that the body of a request may have."""
    if FILES.fullmatch(path):
        return limits.upload
    return min(limits.upload, limits.recipe) if RECIPES.fullmatch(path) else min(limits.upload, SMALL)


def structure(data: bytes) -> int:
    """How many values a JSON text has at most: counted, not parsed, so that it costs next to nothing."""
    return sum(map(data.count, STRUCTURE))


def check_values(data: bytes, limits: Limits) -> None:
    """Checks the number of values of a JSON text, before it is parsed; what has too many is not read to its end.

    Raises:
        RefusedError: if there are too many (413).
    """
    count = 0
    for start in range(0, len(data), PIECE):
        count += structure(data[start : start + PIECE])
        check_count(count, limits)


def check_count(count: int, limits: Limits) -> None:
    """Checks a number of values.

    Raises:
        RefusedError: if there are too many (413).
    """
    if count > limits.values:
        raise RefusedError(
            413,
            f"the JSON has more than {limits.values} numbers and texts; send masks as images, or fewer points",
        )


class Intake:
    """Bytes of bodies that all requests together hold at the moment.

    Args:
        most: of them; beyond that large bodies are refused.
    """

    def __init__(self, most: int) -> None:
        self.most, self.held = most, 0


class Body:
    """One body while it is received. An application that asks for more of one that is refused hears that it ended.

    Args:
        receive: gives its parts.
        path: of the request.
        announced: bytes, as the request says; None if it does not.
        limits: of the server.
        intake: that it counts to.
    """

    def __init__(self, receive: Receive, path: str, announced: int | None, limits: Limits, intake: Intake) -> None:
        self._receive, self._limits, self._intake = receive, limits, intake
        self._most, self._is_json = most_bytes(path, limits), not FILES.fullmatch(path)
        self._bytes = self._structure = 0
        self._begin = asyncio.get_running_loop().time()
        self.refusal: RefusedError | None = None
        self.is_complete = False
        if announced is not None and announced > self._most:
            self.refusal = self._too_much()

    def _too_much(self) -> RefusedError:
        most = f"{self._most / 2**20:.0f} MB" if self._most >= 2**20 else f"{self._most / 2**10:.0f} KB"
        return RefusedError(413, f"the request has more than {most}; scale the image down or store it smaller")

    async def receive(self) -> Message:
        """The next part of it; `http.disconnect` if it is refused."""
        if self.refusal is not None:
            return {"type": "http.disconnect"}
        if self.is_complete:  # whoever asks now waits for the client to go
            return await self._receive()
        try:
            return await self._next()
        except RefusedError as error:
            self.refusal = error
            return {"type": "http.disconnect"}

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout(min(SILENCE, self._left)):
                message = await self._receive()
        except TimeoutError as error:
            raise RefusedError(408, "the body of the request came too slowly; send it again") from error
        part = message.get("body", b"")
        self.is_complete = message["type"] != "http.request" or not message.get("more_body")
        self._bytes += len(part)
        self._intake.held += len(part)
        if self._bytes > self._most:
            raise self._too_much()
        if self._intake.held > self._intake.most and self._bytes > SMALL:
            raise RefusedError(429, "many large files are being sent at this moment; send it again in a minute")
        if self._is_json:
            self._structure += structure(part)
            check_count(self._structure, self._limits)
        return message

    @property
    def _left(self) -> float:
        """Seconds that it has left."""
        return max(0.0, self._begin + GRACE + self._bytes / RATE - asyncio.get_running_loop().time())

    async def drain(self) -> None:
        """Reads what is still being sent, within bounds, and throws it away."""
        if self.refusal is not None and self.refusal.status == 408:
            return  # it has waited long enough
        seen, end = 0, asyncio.get_running_loop().time() + SILENCE
        while not self.is_complete and seen <= DRAINED * self._most:
            try:
                async with asyncio.timeout_at(end):
                    message = await self._receive()
            except TimeoutError:
                return
            seen += len(message.get("body", b""))
            self.is_complete = message["type"] != "http.request" or not message.get("more_body")

    def release(self) -> None:
        """The request is answered; its body is gone."""
        self._intake.held -= self._bytes
