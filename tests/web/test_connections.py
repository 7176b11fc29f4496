"""Connections: heads that come slowly or never, floods of chunks, clients that do not read, too many at once."""

import asyncio
import socket
import threading
import time

import pytest
import uvicorn

from dragondiffusion.web import connections
from dragondiffusion.web.connections import Connection
from dragondiffusion.web.headers import ALWAYS, DATA_POLICY
from dragondiffusion.web.server import bound

ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


async def app(scope, receive, send):
    """Reads the body, answers with as many bytes as the path says."""
    if scope["type"] != "http":
        return
    more = scope["path"] != "/unread"
    while more:
        message = await receive()
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    size = int(scope["path"][1:]) if scope["path"][1:].isdigit() else 2
    await send({"type": "http.response.body", "body": b"x" * size})


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as change:
        for name, value in (("HEAD", 0.5), ("UNREAD", 0.5), ("CONNECTIONS", 20)):
            change.setattr(connections, name, value)
        config = uvicorn.Config(app, http=Connection, ws="none", lifespan="off", log_level="critical")
        running, listening = uvicorn.Server(config), bound("127.0.0.1", 0)
        thread = threading.Thread(target=lambda: asyncio.run(running.serve([listening])))
        thread.start()
        yield listening.getsockname()[1], running
        running.should_exit = True
        thread.join(10)


@pytest.fixture
def connect(server):
    """Opens connections, and closes them at the end."""
    opened = []

    def connect(sent=b""):
        one = socket.create_connection(("127.0.0.1", server[0]), timeout=5)
        one.sendall(sent)
        opened.append(one)
        return one

    yield connect
    for one in opened:
        one.close()


def heard(one, seconds=5.0):
    """Everything until the other side closes."""
    one.settimeout(seconds)
    data = b""
    try:
        while part := one.recv(65536):
            data += part
    except ConnectionResetError:
        pass
    return data


def test_heads_come_in_time(connect):
    slow, silent, begin = connect(ASK), connect(), time.perf_counter()
    for _ in range(3):
        time.sleep(0.1)
        slow.sendall(b"X-A: b\r\n")  # a line now and then does not help
    assert heard(slow).startswith(b"HTTP/1.1 408 ")
    assert heard(silent).startswith(b"HTTP/1.1 408 ")
    assert time.perf_counter() - begin < 2
    again = connect(ASK + b"\r\n")
    time.sleep(0.7)  # an answered connection may wait for its next request, which must come in time again
    again.sendall(ASK)
    assert heard(again).count(b"HTTP/1.1 200 ") == 1
    assert heard(connect(ASK + b"Connection: close\r\n\r\n")).endswith(b"xx\r\n0\r\n\r\n")


def test_floods_of_tiny_chunks_end(connect):
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert b" 400 " in heard(connect(head + b"1\r\na\r\n" * 5000))
    some = head + b"1\r\na\r\n" * 100 + b"0\r\n\r\n"
    assert b" 200 " in heard(connect(some))


@pytest.mark.parametrize(
    "request_",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        ASK + b"X: " + b"a" * 70000,
    ],
    ids=["no HTTP", "two hosts", "negative length", "two lengths", "long head"],
)
def test_what_is_no_request(connect, request_):
    head, _, said = heard(connect(request_)).partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0].startswith("http/1.1 400 ") and said == b"this is no request of HTTP; correct it"
    assert {f"{name}: {value}".lower() for name, value in ALWAYS.items()} <= set(lines)
    assert f"content-length: {len(said)}" in lines and f"content-security-policy: {DATA_POLICY}" in lines


def test_garbage_after_an_answer_has_begun_only_ends_it(connect, caplog):
    one = connect(b"POST /unread HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
    one.sendall(b"zz\r\nzz\r\n")
    assert heard(one).count(b"HTTP/1.1 ") == 1
    assert caplog.records == []


def test_a_body_that_nobody_reads_ends_the_connection(connect):
    one = connect(b"POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc")
    begin = time.perf_counter()
    assert heard(one).startswith(b"HTTP/1.1 200 ")
    assert time.perf_counter() - begin < 2


def test_answers_that_are_not_read_end(connect, server):
    one = connect(b"GET /50000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    deadline = time.monotonic() + 5
    time.sleep(0.2)
    while server[1].server_state.connections and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not server[1].server_state.connections
    assert len(heard(one)) < 50_000_000


def test_idle_connections_give_way(connect, server):
    idle = [connect() for _ in range(40)]
    begin = time.perf_counter()
    assert b" 200 " in heard(connect(ASK + b"Connection: close\r\n\r\n"))
    assert time.perf_counter() - begin < 0.4, "before the others are given up"
    assert len(server[1].server_state.connections) <= 20
    assert heard(idle[0]) == b"", "the oldest went first"
