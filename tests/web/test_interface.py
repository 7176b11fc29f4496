"""The HTTP API against its own description: whatever fits it, or nearly does, is answered as it says."""

import importlib.util
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from .attacks import move
from .process import Server
from .visitor import Visitor, png

pytestmark = [
    pytest.mark.hostile,
    pytest.mark.timeout(280),
    pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="needs schemathesis"),
]
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")

OWN = """[[operations]]
include-path-regex = "^/api/{0}/"
parameters = {{ "path.name" = "{1}" }}
"""
"""Names that are there, so that more than the names is tried."""


def test_the_interface_is_as_documented(tmp_path):
    """Requests are drawn from `api/openapi.json` by schemathesis, valid ones and others."""
    with Server(tmp_path, "--steps", "4", "--seconds", "5") as server:
        visitor = Visitor(server.client)
        scene = visitor.post("scenes", json={"seed": 6}).json()["picture"]["name"]
        mask = visitor.post("masks", params={"picture": scene}, content=png(np.full((128, 128), 255, np.uint8))).json()
        job = visitor.edit(move(scene, {"box": [80, 80, 120, 120]}, steps=2))
        names = {"jobs": job["id"], "pictures": scene, "masks": mask["name"]}
        (tmp_path / "own.toml").write_text("".join(OWN.format(*item) for item in names.items()))
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "own.toml", "run"]
        command += [f"{server.url}api/openapi.json", "--max-time", "60"]
        command += ["--checks", ",".join(CHECKS), "--mode", "all", "--phases", "examples,coverage,fuzzing"]
        command += ["--max-examples", os.environ.get("EXAMPLES", "15"), "--seed", "1", "--request-timeout", "30"]
        command += ["--header", f"X-Session: {visitor.token}", "--no-color", "--exclude-method", "DELETE"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=260)
        assert done.returncode == 0, re.sub(r"(?m)^\s*$\n", "", done.stdout)[-20_000:] + done.stderr[-2000:]
        assert server.client.get("api/health").json()["status"] == "ready"
        assert not [line for line in server.log if "Error" in line or "Traceback" in line]
