"""The Dockerfile, as far as it can be tried without Docker."""

import json
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import get_args

import pytest
import tyro

from dragondiffusion.web.answers import Health
from dragondiffusion.web.command import Web

ROOT = Path(__file__).parents[2]
LINES = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]


def of(word):
    """What follows a word at the beginning of lines."""
    return [line.split(maxsplit=1)[1] for line in LINES if line.split()[0] == word]


def copied():
    """Files that the build is given."""
    return [name for line in of("COPY") if not line.startswith("--from") for name in line.split()[:-1]]


def test_what_is_copied_is_there_and_let_through():
    passed = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    assert set(copied()) == passed
    assert all((ROOT / name).exists() for name in copied())


def test_what_is_installed_is_declared_and_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extras,) = re.findall(r"'\.\[(.*?)\]'", "\n".join(of("RUN")))
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    found = subprocess.run(
        ["grep", "^torch==", "constraints.txt"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert len(found.stdout.split()) == 1


def test_it_runs_without_rights():
    (user,) = of("USER")
    assert user != "root"
    assert any(f"useradd --create-home --uid 1000 {user}" in line for line in of("RUN"))
    assert LINES.index(f"USER {user}") < next(k for k, line in enumerate(LINES) if line.startswith("ENTRYPOINT"))


def test_the_command_is_one():
    (entry,) = of("ENTRYPOINT")
    program, name, *options = json.loads(entry)
    assert (program, name) == ("dragondiffusion", "web")
    web = tyro.cli(Web, args=[*options, "--model", "/models/sd15", "--device", "cpu"])
    assert (web.host, str(web.port), str(web.data)) == ("0.0.0.0", of("EXPOSE")[0], "/data")
    assert set(json.loads(of("VOLUME")[0])) == {"/data", "/models"}


class Answer(BaseHTTPRequestHandler):
    """Answers the one path with what the server says of itself."""

    status = "loading"

    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"status": self.status}).encode())

    def log_message(self, *_):
        pass


def test_the_health_check_knows_a_ready_server_from_others(client):
    assert client.get("/api/health").json()["status"] in get_args(Health.model_fields["status"].annotation)
    (check,) = (line.split("CMD ", 1)[1] for line in of("HEALTHCHECK"))
    program, flag, code = json.loads(check)
    assert (program, flag) == ("python", "-c")
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for status, result in (("loading", 1), ("ready", 0), ("failed", 1)):
            Answer.status = status
            here = code.replace("7860", str(server.server_port))
            assert subprocess.run([sys.executable, flag, here], check=False).returncode == result
        server.shutdown()


@pytest.mark.slow
def test_the_copied_files_are_enough_to_build(tmp_path):
    for name in copied():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert wheel.stat().st_size > 10 * 2**20  # with the demo model
