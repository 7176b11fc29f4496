"""A server under attack: what watches it from a process of its own, and clients that behave badly."""

import json
import random
import socket
import statistics
import subprocess
import sys
import threading
import time

import httpx

from .process import Server
from .visitor import Visitor

WATCH = """
import http.client, sys, time
port, pid, out = int(sys.argv[1]), sys.argv[2], open(sys.argv[3], "w", buffering=1)
line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
while True:
    begin = time.perf_counter()
    try:
        line.request("GET", "/api/health")
        status = line.getresponse()
        status.read()
        status = status.status
    except (OSError, http.client.HTTPException):
        line.close()
        status = 0
    took = time.perf_counter() - begin
    try:
        text = open(f"/proc/{pid}/status").read()
    except OSError:
        break
    held = int(text.split("VmRSS:")[1].split()[0]) / 1024 if "VmRSS:" in text else 0
    print(time.monotonic(), took, status, held, file=out)
    time.sleep(0.02)
"""


class Watched(Server):
    """A server that another process asks for its health all the time."""

    def __enter__(self):
        super().__enter__()
        self.notes = self.folder / f"watch-{self.port}"
        arguments = [str(self.port), str(self.process.pid), str(self.notes)]
        self.watch = subprocess.Popen([sys.executable, "-c", WATCH, *arguments])
        return self

    def __exit__(self, *problem):
        self.watch.kill()
        self.watch.wait()
        super().__exit__(*problem)

    def watched(self, since=0.0):
        """Seconds until each answer about its health, their statuses, and its memory in MB, since a moment."""
        rows = [line.split() for line in self.notes.read_text().splitlines()]
        rows = [tuple(map(float, row)) for row in rows if len(row) == 4 and float(row[0]) >= since]
        return [row[1] for row in rows], {int(row[2]) for row in rows}, [row[3] for row in rows]

    def calm(self, seconds):
        """The longest answer about its health and its memory when nothing else is asked."""
        begin = time.monotonic()
        time.sleep(seconds)
        took, _, held = self.watched(begin)
        return max(took), statistics.median(held)

    def faults(self, since=0):
        """What its log says of faults of its own, from a line on."""
        return [line for line in self.log[since:] if "Error" in line or "Exception" in line or "Traceback" in line]


def at_once(count, work):
    """What work gives for 0 to count - 1, all of them at the same time."""
    found, threads = {}, []

    def one(k):
        try:
            found[k] = work(k)
        except Exception as error:  # noqa: BLE001
            found[k] = error

    for k in range(count):
        threads.append(threading.Thread(target=one, args=(k,), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join(120)
    return [found.get(k) for k in range(count)]


def said(port, data, seconds=30.0):
    """What a server answers to bytes, whatever they are, until it closes or nothing comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as line:
        answer = b""
        try:
            line.sendall(data)
            while part := line.recv(65536):
                answer += part
        except (ConnectionError, TimeoutError):
            pass
        return answer


def post(path, body=b"", *headers, length=None):
    """The bytes of a request."""
    head = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    head += [f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def zigzag(side, points):
    """A polygon that crosses as many rows as it can."""
    return [[1 + k % (side - 2), 1 if k % 2 else side - 1] for k in range(points)]


def move(image, mask, **settings):
    """A recipe."""
    edit = {"edit": "move", "mask": mask, "offset": [9, 4]}
    return {"recipe": 1, "image": image, "edits": [edit], "settings": settings}


def as_json(value):
    """A body of JSON that may be none."""
    text = value if isinstance(value, (str, bytes)) else json.dumps(value)
    return {"content": text, "headers": {"Content-Type": "application/json"}}


class Killed:
    """A server that is killed while its jobs run and their results are downloaded and deleted, begun again and again.

    Args:
        folder: where it runs.
        seed: of what is asked for, and when it is killed.
    """

    def __init__(self, folder, seed):
        self.folder, self.chance, self.token = folder, random.Random(seed), None
        self.asked, self.finished, self.deleted, self.perhaps = set(), {}, set(), set()
        """Jobs that were taken; results by job; jobs that were said to be deleted; those that may be."""

    def one(self):
        """Begins it, checks what it has of its earlier lives, and kills it at work."""
        with Server(self.folder) as server:
            visitor = Visitor(server.client, self.token)
            self.token = visitor.token
            scene = visitor.post("scenes", json={"seed": 6}).json()["picture"]["name"]
            self.check(visitor)
            recipes = [move(scene, {"box": [80, 80, 140, 140]}, steps=steps) for steps in (3, 5, 10, 15)]
            own = [visitor.post("jobs", json={"recipe": recipe}).json()["id"] for recipe in recipes]
            self.asked.update(own)
            others = [
                threading.Thread(target=self.until_killed, args=(server, what)) for what in (self.download, self.delete)
            ]
            for thread in others:
                thread.start()
            wanted, end = self.chance.choice((0, 1, 2, 3)), time.monotonic() + 200
            while sum(name in self.finished for name in own) < wanted and time.monotonic() < end:
                time.sleep(0.02)
                for name in own:
                    if name not in self.finished and visitor.get(f"jobs/{name}").json()["state"] == "done":
                        self.finished[name] = visitor.get(f"jobs/{name}/result").content
            time.sleep(self.chance.uniform(0.0, 1.0))
            server.kill()
            for thread in others:
                thread.join(60)

    def check(self, visitor):
        """What was taken is told of, what was done is there, what was deleted is not, and nothing is half-written."""
        jobs = {one["id"]: one for one in visitor.get("session").json()["jobs"]}
        assert self.asked - self.deleted - self.perhaps <= jobs.keys() <= self.asked - self.deleted
        for name in self.finished.keys() & jobs.keys():
            assert jobs[name]["state"] == "done"
            assert visitor.get(f"jobs/{name}/result").content == self.finished[name]
        assert all(one["state"] in ("done", "interrupted") for one in jobs.values())
        assert list((self.folder / "kept" / "sessions").rglob(".*")) == []

    def until_killed(self, server, what):
        """Does something with results of earlier lives until the server is no more."""
        chance = random.Random(self.chance.random())
        with httpx.Client(base_url=server.url, timeout=60) as client:
            visitor = Visitor(client, self.token)
            while server.process.poll() is None:
                known = sorted(self.finished.keys() - self.deleted - self.perhaps)
                try:
                    if known:
                        what(visitor, chance.choice(known))
                except httpx.TransportError:
                    continue
                time.sleep(0.05)

    def download(self, visitor, name):
        """Takes a result, unless it is deleted meanwhile."""
        answer = visitor.get(f"jobs/{name}/result")
        assert answer.status_code == 404 or answer.content == self.finished[name]

    def delete(self, visitor, name):
        """Deletes one of many."""
        if len(self.finished) - len(self.deleted) > 2:
            self.perhaps.add(name)
            if visitor.ask("DELETE", f"jobs/{name}").status_code == 204:
                self.deleted.add(name)
