"""A server under attack: nothing gets in, nothing gets lost, and whoever works goes on working.

Bounded, on this machine alone, with a server of its own. Quick parts of it are in `test_guard`, `test_origins`,
`test_connections` and `test_api`.
"""

import os
import random
import socket
import time

import httpx
import numpy as np
import pytest

from imaging.test_asking import chunks, comments, scans

from .attacks import Killed, Watched, as_json, at_once, move, post, said, zigzag
from .visitor import Visitor, png

pytestmark = [pytest.mark.hostile, pytest.mark.timeout(600)]
HEALTH = 0.2
"""Seconds within which a server says how it is, on a machine where nothing else runs; what does stretches them."""
MEMORY = 1.3
"""Times the memory of the calm server."""
SECONDS = 4
"""That a preview may take here."""
FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Watched(tmp_path_factory.mktemp("attacked"), "--seconds", str(SECONDS)) as server:
        visitor = Visitor(server.client)
        scene = visitor.post("scenes", json={"seed": 6}).json()["picture"]["name"]
        for _ in range(3):
            assert visitor.edit(move(scene, {"box": [80, 80, 140, 140]}))["state"] == "done"
            visitor.post("previews", json={"recipe": move(scene, {"box": [80, 80, 140, 140]})})
        server.calmly = server.calm(3.0)
        yield server


@pytest.fixture(scope="module")
def worker(server):
    """Somebody at work, who loses nothing."""
    visitor = Visitor(server.client)
    visitor.scene = visitor.post("scenes", json={"seed": 6}).json()["picture"]["name"]
    visitor.done = visitor.edit(move(visitor.scene, {"box": [80, 80, 140, 140]}))
    visitor.result = visitor.get(f"jobs/{visitor.done['id']}/result").content
    return visitor


@pytest.fixture(autouse=True)
def unharmed(server, worker):
    """After every attack: health and memory as they should be, nothing lost, no fault in the log."""
    begin, line = time.monotonic(), len(server.log)
    yield
    took, statuses, held = server.watched(begin)
    assert statuses <= {200}
    stretched = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert max(took, default=0) <= server.calmly[0] + HEALTH * stretched
    assert max(held, default=0) <= MEMORY * server.calmly[1]
    assert server.faults(line) == []
    assert worker.get(f"jobs/{worker.done['id']}/result").content == worker.result
    assert worker.post("previews", json={"recipe": move(worker.scene, {"box": [80, 80, 140, 140]})}).status_code == 200


def test_foreign_pages_reach_nothing(server):
    files = list((server.folder / "kept").rglob("*"))
    for k in range(300):
        headers = FOREIGN | {"Content-Type": ("text/plain", "application/json", "multipart/form-data")[k % 3]}
        assert server.client.post("api/session", content=b"{}", headers=headers).status_code == 403
    for _ in range(3):
        answer = server.client.post("gradio_api/upload", files={"files": ("x.png", b"x" * 2**22)}, headers=FOREIGN)
        assert answer.status_code == 403
    for path in ("gradio_api/call/edit", "gradio_api/queue/join", "api/jobs"):
        assert server.client.post(path, content=b"{}", headers=FOREIGN).status_code == 403
    assert list((server.folder / "kept").rglob("*")) == files


def test_twenty_clients_wait_their_share(server):
    """One asks for as many edits as it may, the others for one after the other; nobody waits for twice its share."""
    clients = [httpx.Client(base_url=server.url, timeout=120) for _ in range(20)]
    visitors = [Visitor(client) for client in clients]
    scenes = [one.post("scenes", json={"seed": 6}).json()["picture"]["name"] for one in visitors]
    recipes = [move(scene, {"box": [80, 80, 140, 140]}, steps=2) for scene in scenes]
    greedy = [visitors[0].post("jobs", json={"recipe": recipes[0]}).json()["id"] for _ in range(7)]

    def waits(k):
        spent = []
        for _ in range(2):
            begin = time.monotonic()
            assert visitors[k].edit(recipes[k])["state"] == "done"
            spent.append(time.monotonic() - begin)
        return spent

    begin = time.monotonic()
    found = at_once(20, waits)
    assert all(isinstance(one, list) for one in found), found
    done = 40 + sum(visitors[0].get(f"jobs/{name}").json()["state"] == "done" for name in greedy)
    share = 20 * (time.monotonic() - begin) / done
    slowest = max(map(max, found[1:]))
    print(f"20 clients: the slowest waited {slowest:.1f} s, {slowest / share:.2f} times the fair share")
    assert slowest <= 2 * share
    for visitor in visitors:
        assert visitor.ask("DELETE", "session").status_code == 204
        visitor.client.close()


def test_a_program_that_begins_sessions_pushes_nobody_out(server):
    statuses = [server.client.post("api/session").status_code for _ in range(400)]
    assert set(statuses) == {200, 429} and statuses.count(200) <= 250
    assert "end those that are done with" in server.client.post("api/session").text


@pytest.fixture
def attacker(server, worker):
    """Another client with a session; that of somebody who was there before, where no more can be begun."""
    return worker


@pytest.mark.parametrize("with_session", [False, True])
def test_large_bodies(server, attacker, with_session):
    own = {"X-Session": attacker.token} if with_session else {}
    for body in (b"[1,1]," * 10**7, b"[" * 6 * 10**7, b'{"a":' * 10**6, b'"' + rb"\u0041" * 10**7, b"1" * 10**7):
        body = b'{"recipe": ' + body
        options = {"content": body, "headers": {"Content-Type": "application/json", **own}}
        for path in ("api/jobs", "api/previews"):
            assert server.client.post(path, **options).status_code in (401, 413, 422)
    for body in (b"[1,1]," * 10**7, b"[" * 10**7, b"\x00" * 6 * 10**7):
        assert server.client.post("api/recipes", content=body, headers=own).status_code in (401, 413, 422)


def test_json_that_is_odd(attacker):
    for text in (
        "[" * 45_000 + "]" * 45_000,
        '{"recipe": {"image": "a", "image": "b"}}',
        '{"recipe": {"image": "\\ud800"}}',
        '{"recipe": NaN}',
        '{"recipe": {"seed": 1e999}}',
        '{"recipe": {"seed": ' + "9" * 4000 + "}}",
        b'{"recipe": "\xff\xfe"}',
        "",
        "null",
    ):
        for path in ("jobs", "previews", "exports", "selections", "scenes", "recipes"):
            assert 400 <= attacker.post(path, **as_json(text)).status_code < 500, (path, text[:40])


def test_wrong_lengths_and_half_requests(server, attacker):
    own, kind = f"X-Session: {attacker.token}", "Content-Type: application/json"
    begin = time.monotonic()
    requests = [post("/api/jobs", b"{}", own, kind, length=length) for length in (1, 10, 10**6, 10**18, 2)]
    requests += [post("/api/pictures", b"abc", own, "Transfer-Encoding: chunked"), b"GET /api/health HTTP/1.1\r\n"]
    requests += [post("/api/jobs", b"zz\r\n", own, "Transfer-Encoding: chunked").replace(b"Content-Length: 4\r\n", b"")]
    answers = at_once(len(requests), lambda k: said(server.port, requests[k]))
    assert all(answer[9:10] == b"4" for answer in answers), answers
    assert time.monotonic() - begin < 16


def test_slow_clients_do_not_stay(server):
    """300 connections that send a byte now and then: half of them heads, half of them bodies."""
    head = b"POST /api/session HTTP/1.1\r\nHost: localhost\r\n"
    lines = []
    for k in range(300):
        line = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        line.sendall(head if k % 2 else head + b"Content-Length: 60000\r\n\r\n")
        lines.append(line)
    end, open_ = time.monotonic() + 60, set(lines)
    while open_ and time.monotonic() < end:
        for line in list(open_):
            try:
                line.sendall(b"X")
                line.setblocking(False)
                if line.recv(1) in (b"", b"H"):
                    open_.discard(line)
            except BlockingIOError:
                continue
            except OSError:
                open_.discard(line)
        time.sleep(2)
    for line in lines:
        line.close()
    assert not open_


def test_half_open_connections_leave_room(server):
    lines = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(900)]
    assert httpx.get(f"{server.url}api/health", timeout=5).status_code == 200
    for line in lines:
        line.close()


def test_heavy_polygons_end(server, attacker):
    """Several at once are refused, for what they would take, before they are drawn."""
    image = attacker.send(png(np.zeros((2000, 2000), np.uint8)))["name"]
    recipe = move(image, {"polygon": zigzag(2000, 15_000)})
    begin = time.monotonic()
    answers = at_once(3, lambda _: attacker.post("previews", json={"recipe": recipe}))
    assert {answer.status_code for answer in answers} == {422}, [answer.text for answer in answers]
    assert "give fewer corners" in answers[0].text
    assert time.monotonic() - begin < 3 * (SECONDS + 4)
    many = move(image, {"polygon": zigzag(2000, 300_000)})
    assert attacker.post("previews", json={"recipe": many}).status_code == 413


def test_images_of_millions_of_parts_end(attacker):
    """Chunks, segments and scans that say nothing: reading them ends with what a request may take."""
    begin = time.monotonic()
    asked = ("recipes", chunks(1_000_000)), ("pictures", comments(8_000_000)), ("pictures", scans(200_000))
    for path, data in asked:
        answer = attacker.post(path, content=data)
        ends = f"more than {SECONDS} s" in answer.text or "too many parts" in answer.text
        assert answer.status_code == 422 and ends, answer.text
    stretched = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert time.monotonic() - begin < 3 * (SECONDS + 3 * stretched)


def test_paths(server, attacker):
    names = [
        "..",
        "%2e%2e",
        "..%2f..%2fetc%2fpasswd",
        "..%5c..%5c",
        "\uff0e\uff0e/",
        "%c0%ae%c0%ae/",
        "\u202e",
        "%00",
        "a" * 5000,
    ]
    names += ["titles.json", "%252e%252e%252f", "con", "x" * 255, ";", "//evil.example/", "\ud7ff", "é", "e\u0301"]
    roots = (
        "api/pictures/",
        "api/masks/",
        "api/jobs/",
        "page/",
        "static/",
        "assets/",
        "gradio_api/file=",
        "gradio_api/",
    )
    for root in (*roots, "gradio_api/proxy=", "svelte/", "theme.css", "api/swagger/", "gradio_api/heartbeat/../"):
        for name in names:
            for method in ("GET", "POST", "DELETE", "PUT", "OPTIONS", "TRACE"):
                answer = attacker.client.request(
                    method, root + name, headers={"X-Session": attacker.token}, timeout=10, follow_redirects=False
                )
                assert answer.status_code < 500 and b"root:" not in answer.content, (method, root, name)


def test_streams_are_bounded(server, attacker):
    recipe = move(attacker.scene, {"box": [80, 80, 140, 140]}, steps=300)
    job = attacker.post("jobs", json={"recipe": recipe}).json()["id"]
    head = f"GET /api/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\nX-Session: {attacker.token}\r\n\r\n".encode()
    lines, statuses = [], []
    for _ in range(60):
        lines.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
        lines[-1].sendall(head)
        statuses.append(lines[-1].recv(12)[9:])
    assert statuses.count(b"200") <= 16 and set(statuses) <= {b"200", b"429"}
    begin = time.monotonic()
    assert attacker.post(f"jobs/{job}/cancel").status_code == 200
    for line in lines:
        line.close()
    while attacker.get(f"jobs/{job}").json()["state"] == "running":
        time.sleep(0.05)
    assert time.monotonic() - begin < 5


def test_races(server, attacker):
    """Jobs are begun, cancelled, deleted and asked for at the same time."""
    chance, statuses, end = random.Random(0), set(), time.monotonic() + 8
    recipe = move(attacker.scene, {"box": [80, 80, 140, 140]}, steps=5)
    names = []

    def one(_):
        with httpx.Client(base_url=server.url, timeout=60) as client:
            own = Visitor(client, attacker.token)
            while time.monotonic() < end:
                what = chance.choice(("begin", "cancel", "delete", "result", "events", "session", "send"))
                if what == "begin":
                    answer = own.post("jobs", json={"recipe": recipe})
                    names.extend([answer.json()["id"]] if answer.status_code == 202 else [])
                elif what == "session":
                    answer = own.get("session")
                elif what == "send":
                    answer = own.post("pictures", content=png(np.full((9, 9), chance.randrange(256), np.uint8)))
                else:
                    name = chance.choice(names or ["0" * 32])
                    method = {"cancel": "POST", "delete": "DELETE"}.get(what, "GET")
                    answer = own.ask(method, f"jobs/{name}" + ("" if what == "delete" else f"/{what}"))
                statuses.add(answer.status_code)

    problems = [problem for problem in at_once(6, one) if problem is not None]
    assert problems == []
    assert max(statuses) < 500, statuses
    for name in names:
        attacker.ask("DELETE", f"jobs/{name}")


def test_two_edits_of_one_image_at_once(server, attacker):
    recipe = move(attacker.scene, {"box": [80, 80, 140, 140]})
    jobs = at_once(2, lambda _: attacker.edit(recipe))
    results = [attacker.get(f"jobs/{job['id']}/result").content for job in jobs]
    assert results == [attacker.result] * 2


def test_kills_at_random_lose_nothing_that_was_finished(tmp_path):
    """More of them in `tests/test_kills.py`."""
    killed = Killed(tmp_path, 1)
    for _ in range(2):
        killed.one()
    assert killed.finished
