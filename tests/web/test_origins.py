"""Whose requests are answered: own pages and programs; pages of other servers may lead to ours, and nothing else."""

import pytest

from dragondiffusion.web.limits import RefusedError
from dragondiffusion.web.origins import check_origin, check_path

HOST = {"host": "localhost:7860"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://localhost:7860"},
        {"origin": "https://edit.example"},
        # A proxy changes the host, and the browser knows better.
        {"origin": "https://other.example", "sec-fetch-site": "same-origin"},
    ],
    ids=["a program", "our page", "an address typed in", "an old browser", "the proxy's name", "behind a proxy"],
)
def test_own_pages_and_programs(headers):
    for method in ("GET", "POST", "DELETE"):
        check_origin(method, "/api/jobs", HOST | headers, {"edit.example"})


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://[broken"},
        # Another program's page on the same machine.
        {"origin": "http://localhost:3000", "sec-fetch-site": "same-site"},
        {"origin": "http://localhost:3000"},
        {"origin": "http://localhost"},
        {"origin": "http://localhost:7860.evil.example"},
        {"origin": "http://evil.example/http://localhost:7860"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ],
)
def test_foreign_pages(headers):
    for method, path in (
        ("POST", "/api/session"),
        ("POST", "/gradio_api/upload"),
        ("OPTIONS", "/api/jobs"),
        ("GET", "/"),
    ):
        with pytest.raises(RefusedError, match="a page of another server; open") as refused:
            check_origin(method, path, HOST | headers, ())
        assert refused.value.status == 403


def test_a_link_may_lead_here_and_a_form_may_not():
    link = HOST | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    check_origin("GET", "/", link, ())
    with pytest.raises(RefusedError):
        check_origin("POST", "/api/session", link, ())


@pytest.mark.parametrize("kind", ["text/plain", "TEXT/PLAIN; charset=utf-8", "multipart/form-data; boundary=x"])
def test_types_that_need_no_asking(kind):
    with pytest.raises(RefusedError, match="application/json, or image/png") as refused:
        check_origin("POST", "/api/pictures", HOST | {"content-type": kind}, ())
    assert refused.value.status == 415


@pytest.mark.parametrize(
    "path",
    [
        "/api/pictures/\x00",
        "/page/" + "a" * 256,
        "/static/" + "ä" * 128,
        "/gradio_api/proxy=x",
        "/gradio_api/file=http://169.254.169.254/",
        "/monitoring",
        "/monitoring/summary",
        "/login",
        "/logout",
        "/gradio_api/dev/reload",
        "/gradio_api/run-history/connect",
        "/gradio_api/component_server",
        "/gradio_api/stream/x",
        "/apis",
        "/docs",
        "/.env",
    ],
)
def test_what_is_not_there(path):
    with pytest.raises(RefusedError) as refused:
        check_path(path)
    assert refused.value.status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/jobs/x/events",
        "/page/main.js",
        "/config",
        "/theme.css",
        "/assets/index.js",
        "/static/img/logo.svg",
    ]
    + [
        f"/gradio_api/{name}"
        for name in ("info", "upload", "call/edit/x", "queue/join", "heartbeat/x", "file=/tmp/x.png")
    ],
)
def test_what_is_there(path):
    check_path(path)
