"""The guard in front of the application: headers, sizes by route before anything is parsed, time, streams, budgets."""

import asyncio
import json
import time

import pytest
from starlette.testclient import TestClient

from dragondiffusion.web import bodies
from dragondiffusion.web.bodies import Body, Intake, most_bytes, structure
from dragondiffusion.web.guard import Guard
from dragondiffusion.web.limits import Limits
from dragondiffusion.web.sessions import Sessions

from .visitor import HERE, Visitor

AS_JSON = {"Content-Type": "application/json"}
LIMITS = Limits(upload=2**20, recipe=2**18, values=1000, streams=2)
PARTS = [b"a" * 2**16] * 64


def read(parts, limits=LIMITS, path="/api/jobs", pause=0.0, intake=None, announced=None):
    """What an application gets of a body that comes in parts, and why it was refused."""
    parts = list(parts)

    async def receive():
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def whole():
        body, got = Body(receive, path, announced, limits, intake or Intake(2**30)), b""
        while not body.is_complete and body.refusal is None:
            got += (await body.receive()).get("body", b"")
        return got, body.refusal, len(parts)

    return asyncio.run(whole())


def test_bodies_that_are_fine_come_whole():
    assert read([b"[1,", b"2]"]) == (b"[1,2]", None, 0)
    assert read([b""]) == (b"", None, 0)
    assert read(PARTS[:16], path="/api/pictures")[0] == b"".join(PARTS[:16])


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/pictures", 2**20),
        ("/api/masks", 2**20),
        ("/api/recipes", 2**20),
        ("/gradio_api/upload", 2**20),
        ("/api/jobs", 2**18),
        ("/api/previews", 2**18),
        ("/api/exports/files", 2**18),
        ("/gradio_api/call/edit", 2**18),
        ("/api/session", 2**16),
        ("/api/jobs/x/cancel", 2**16),
        ("/api/selections", 2**16),
        ("/login", 2**16),
    ],
)
def test_every_route_takes_as_much_as_it_needs(path, most):
    assert most_bytes(path, LIMITS) == most
    got, refusal, left = read(PARTS, path=path)
    assert (refusal.status, "the request has more than" in refusal.sentence) == (413, True)
    assert len(got) <= most and left >= 64 - most // 2**16 - 1, "the rest is not read"
    assert read(PARTS, path=path, announced=most + 1)[::2] == (b"", 64), "what says so itself is not read at all"


def test_values_are_counted_before_they_are_parsed():
    for text in ("[" * 1001, "1," * 1001, '"' + r"\u0041" * 1001, "{" * 1001):
        assert read([text.encode()])[1].status == 413, text[:10]
    for value in ([1] * 900, {"points": [[1, 2]] * 300, "text": "many words " * 100}):
        text = json.dumps(value).encode()
        assert read([text]) == (text, None, 0)
    # Never fewer than there are: nothing is parsed that has more.
    for value in ([], [1], [1, [2, 3]], {"a": [1, {"b": 2}]}, "text"):
        assert structure(json.dumps(value).encode()) + 1 >= sum(1 for _ in values(value))


def values(value):
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from values(part)


def test_slow_bodies_end(monkeypatch):
    monkeypatch.setattr(bodies, "SILENCE", 0.2)
    monkeypatch.setattr(bodies, "GRACE", 0.5)
    monkeypatch.setattr(bodies, "RATE", 2**20)
    begin = time.perf_counter()
    for pause in (5.0, 0.05):  # nothing at all; a byte now and then
        _, refusal, _ = read([b"a"] * 1000, pause=pause)
        assert (refusal.status, "too slowly" in refusal.sentence) == (408, True)
    assert time.perf_counter() - begin < 3
    assert read(PARTS[:12], pause=0.05, path="/api/pictures")[1] is None, "a slow line that goes on is waited for"


def test_bodies_of_all_together():
    intake = Intake(2**20)
    intake.held = 2**20
    assert read(PARTS[:8], path="/api/pictures", intake=intake)[1].status == 429
    assert read([b"{}"], intake=intake)[1] is None, "small requests pass"


@pytest.fixture
def guarded(tmp_path):
    """A guard before an application that says what it got."""
    seen = []

    async def app(scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RuntimeError("the application does not like that")
            body, more = body + message.get("body", b""), message.get("more_body", False)
        seen.append((scope["path"], len(body)))
        if scope["path"].endswith("/events"):
            await asyncio.sleep(1)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"fine"})

    sessions = Sessions(tmp_path / "sessions", LIMITS)
    guard = Guard(app, LIMITS, sessions)
    guard.seen, guard.token = seen, sessions.begin()[0]
    return guard


def test_nothing_is_read_for_clients_without_a_session(guarded):
    client = TestClient(guarded, base_url=HERE)
    for path in ("/api/jobs", "/api/pictures", "/api/nothing"):
        answer = client.post(path, content=b"a" * 1000)
        assert (answer.status_code, "begin a session" in answer.json()["detail"]) == (401, True)
    assert guarded.seen == []
    assert client.post("/api/jobs", content=b"a" * 1000, headers={"X-Session": guarded.token}).text == "fine"


def test_an_application_whose_request_is_refused_does_not_answer(guarded):
    client, own = TestClient(guarded, base_url=HERE), {"X-Session": guarded.token}
    answer = client.post("/api/jobs", content=iter(PARTS), headers=own)
    assert (answer.status_code, "more than 256 KB" in answer.text) == (413, True)
    assert guarded._intake.held == 0 and guarded.seen == []


def test_streams_are_counted(guarded):
    async def ask(client, path):
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "headers": [(b"x-session", client)],
            "query_string": b"",
        }
        statuses = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            statuses.append(message.get("status"))

        await guarded(scope, receive, send)
        return statuses[0]

    async def flood():
        asked = [ask(who, "/api/jobs/x/events") for who in (b"one", b"one", b"one", b"other")]
        return await asyncio.gather(*asked)

    assert asyncio.run(flood()) == [200, 200, 429, 200]
    assert not guarded._streams


def test_every_answer_says_what_browsers_may_do(client):
    visitor = Visitor(client)
    answers = [visitor.get("session"), visitor.get("nothing"), client.get("/page/main.js"), client.get("/nothing")]
    answers += [client.get("/api"), client.post("/api/session", headers={"Origin": "https://evil.example"})]
    answers += [client.get("/api/health", headers={"Host": "evil.example"})]
    assert [answer.status_code for answer in answers] == [200, 404, 200, 404, 200, 403, 400]
    for answer in answers:
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert "http" not in headers["content-security-policy"], "nothing from other servers"
    assert "sandbox" in answers[0].headers["content-security-policy"]


def test_foreign_pages_leave_nothing(client, service):
    before = sum(1 for _ in service.sessions.all())
    for headers in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Content-Type": "text/plain"},
    ):
        answer = client.post("/api/session", content=b"{}", headers=headers)
        assert answer.status_code in (403, 415) and answer.json()["detail"]
    assert sum(1 for _ in service.sessions.all()) == before
    assert client.get("/api/health", headers={"Host": "testserver"}).status_code == 400
