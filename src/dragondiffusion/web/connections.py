"""Connections that take no more than their share: requests come in time, answers are read, idle ones give way."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .headers import ALWAYS, DATA_POLICY

HEAD = 10.0
"""Seconds that the head of a request may take, from its first byte or from the beginning of the connection."""
HEAD_BYTES = 2**14
"""Bytes that it may have."""
UNREAD = 60.0
"""Seconds for which an answer may wait for a client that does not read it."""
CONNECTIONS = 400
"""Connections at once; for a further one the oldest that have no complete request give way. Source: chosen, below the
1024 files that systems commonly grant a process."""
HEADERS = {"connection": "close", "content-type": "text/plain", **ALWAYS, "content-security-policy": DATA_POLICY}
"""Of answers to what is no request."""
CHUNKS, CHUNK = 1000, 64
"""After so many chunks of a body they must hold so many bytes on average: each costs the same time."""


class _Connection(h11.Connection):
    """The server's side of HTTP/1.1, which refuses floods of tiny chunks.

    Args:
        most: bytes of a head.
    """

    def __init__(self, most: int) -> None:
        super().__init__(h11.SERVER, most)
        self._chunks = self._bytes = 0

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._bytes = 0
        if isinstance(event, h11.Data):
            self._chunks += 1
            self._bytes += len(event.data)
            if self._chunks > CHUNKS and self._bytes < CHUNK * self._chunks:
                raise h11.RemoteProtocolError("the chunks of the body are too small")
        return event


class Connection(H11Protocol):
    """One connection. Its arguments are those that uvicorn gives."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Connection(HEAD_BYTES)
        self._head: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self.begin = 0.0
        """When it began to wait for a request, by the clock of the loop."""

    def connection_made(self, transport: Any) -> None:
        if len(self.connections) >= CONNECTIONS and not self._make_room():
            transport.abort()
            self.transport = transport
            return
        super().connection_made(transport)
        self._await_head()

    def _make_room(self) -> bool:
        """Ends the oldest connections that wait for a request; tells whether there were any."""
        waiting = [one for one in self.connections if isinstance(one, Connection) and not one.is_answering]
        if not waiting:
            return False
        # Those that never had a request go first, several at once: looking for them takes its time too.
        waiting.sort(key=_age)
        for one in waiting[: max(1, CONNECTIONS // 10)]:
            self.connections.discard(one)
            one.transport.abort()
        return True

    @property
    def has_asked(self) -> bool:
        """Whether a request came."""
        return bool(self.cycle)

    @property
    def is_answering(self) -> bool:
        """Whether a request is here completely and its answer is not out."""
        return self.has_asked and not self.cycle.more_body and not self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._is_between:
            self._cancel("_head")
        elif self._head is None and not self.transport.is_closing():
            self._await_head()

    @property
    def _is_between(self) -> bool:
        """Whether no head of a request is here completely, since the last answer if there was one."""
        return self.conn.their_state is h11.IDLE

    def _await_head(self) -> None:
        self.begin = self.loop.time()
        self._head = self.loop.call_later(HEAD, self._give_up)

    def _give_up(self) -> None:
        self._head = None
        self._refuse("408 Request Timeout", "the head of the request came too slowly; send it again")

    def send_400_response(self, msg: str) -> None:
        self._refuse("400 Bad Request", "this is no request of HTTP; correct it")

    def _refuse(self, status: str, sentence: str) -> None:
        """Ends the connection, with an answer unless one is on its way."""
        if self.transport.is_closing():
            return
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = {**HEADERS, "content-length": str(len(sentence))}
            head = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
            self.transport.write("\r\n".join([*head, "", sentence]).encode())
        self.transport.close()

    def on_response_complete(self) -> None:
        is_whole = self.conn.their_state in (h11.DONE, h11.IDLE, h11.MUST_CLOSE, h11.CLOSED)
        super().on_response_complete()
        if not is_whole and not self.transport.is_closing():
            self.transport.close()  # what else comes of the body is nobody's

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD, self.transport.abort)

    def resume_writing(self) -> None:
        self._cancel("_unread")
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel("_head")
        self._cancel("_unread")
        if self.flow:  # else it was turned away
            super().connection_lost(exc)

    def _cancel(self, name: str) -> None:
        timer = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)


def _age(one: Connection) -> tuple[bool, float]:
    return one.has_asked, one.begin
