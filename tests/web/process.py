"""A server of its own process, as the command line starts it."""

import os
import signal
import subprocess
import sys
import threading
import time

import httpx

STARTED = 60
"""Seconds that a server may take to load its model."""


class Server:
    """The command `dragondiffusion web` in a folder of its own.

    Args:
        folder: where it runs; what visitors send is kept in its subfolder `kept`.
        options: of the command.
        port: to listen at; 0 is a free one.
        threads: of the model.
    """

    def __init__(self, folder, *options, port=0, threads=1):
        self.folder, self.threads = folder, threads
        self.arguments = ["web", "--port", str(port), "--data", "kept", *options]

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dragondiffusion", *self.arguments],
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": str(self.threads)},
        )
        line = self.process.stderr.readline()
        assert line.startswith("open http://localhost:"), line + self.process.stderr.read()
        self.url = line.split()[1]
        self.port = int(self.url.rsplit(":", 1)[1].strip("/"))
        self.log = []
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()
        self.client = httpx.Client(base_url=self.url, timeout=60)
        deadline = time.monotonic() + STARTED
        while time.monotonic() < deadline:
            try:
                if self.client.get("api/health").json()["status"] == "ready":
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError("the server does not become ready")

    def __exit__(self, *_):
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)

    def kill(self):
        """Ends it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
