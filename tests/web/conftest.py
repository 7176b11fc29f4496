"""A server with the tiny checkpoint, and clients of it."""

import pytest
from starlette.testclient import TestClient

from dragondiffusion.web.engine import Engine
from dragondiffusion.web.limits import Limits
from dragondiffusion.web.queue import Queue
from dragondiffusion.web.server import application
from dragondiffusion.web.service import Service
from dragondiffusion.web.sessions import Sessions

from .browser import Window, chromium
from .process import Server
from .visitor import HERE, Visitor


def service_with(load, folder, limits):
    queue = Queue(limits)
    return Service(Sessions(folder, limits), queue, [Engine(load, queue, limits)], limits)


@pytest.fixture(scope="module")
def limits():
    return Limits(upload=2**20, pixels=200_000, session_bytes=4 * 2**20)


@pytest.fixture(scope="module")
def service(editor, tmp_path_factory, limits):
    return service_with(lambda: editor, tmp_path_factory.mktemp("sessions"), limits)


@pytest.fixture(scope="module")
def client(service):
    with TestClient(application(service, page=False), base_url=HERE) as client:
        yield client


@pytest.fixture
def visitor(client):
    return Visitor(client)


@pytest.fixture(scope="module")
def browser():
    """A browser; what asks for it is skipped where there is none."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """A server with the demo model."""
    with Server(tmp_path_factory.mktemp("server"), threads=1) as server:
        yield server


@pytest.fixture
def window(browser, demo):
    """A window with the page. At its end nothing may have gone wrong in it."""
    window = Window(browser, demo)
    yield window
    window.close()
