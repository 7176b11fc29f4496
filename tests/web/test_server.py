"""The server as a process: it starts, is killed and goes on, answers many at once, and speaks to Gradio's client."""

import json
import re
import shutil
import subprocess
import sys
import threading
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from .process import Server
from .visitor import STEPS, Visitor, png


class Tiny(Server):
    """A server with the tiny checkpoint."""

    def __init__(self, folder, data, *options):
        super().__init__(folder, "--model", "tiny-sd", *options)
        if not (folder / "tiny-sd").exists():
            shutil.copytree(data / "tiny-sd", folder / "tiny-sd")


def test_only_own_files_are_removed_from_the_folder_of_uploads(tmp_path, monkeypatch):
    from dragondiffusion.web import page

    monkeypatch.setattr(page, "get_upload_folder", lambda: str(tmp_path))
    for name in ("a" * 64, "dragondiffusion-x1y2", "holiday"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "image.png").write_bytes(b"x")
    page.sweep_uploads(3600)
    assert len(list(tmp_path.iterdir())) == 3
    page.sweep_uploads(-1)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday"]


@pytest.mark.slow
def test_killed_during_a_job_and_started_again(tmp_path, data, picture, mask):
    with Tiny(tmp_path, data) as server:
        visitor = Visitor(server.client)
        recipe = visitor.recipe(picture, mask)
        done = visitor.edit(recipe)
        result = visitor.get(f"jobs/{done['id']}/result").content
        running = visitor.post("jobs", json={"recipe": recipe | {"settings": {"steps": 300}}}).json()["id"]
        waiting = visitor.post("jobs", json={"recipe": recipe}).json()["id"]
        while visitor.get(f"jobs/{running}").json()["done"] < 1:
            time.sleep(0.01)
        server.kill()
    with Tiny(tmp_path, data) as server:
        visitor.client = server.client
        jobs = {job["id"]: job for job in visitor.get("session").json()["jobs"]}
        assert jobs[done["id"]] == done | {"frames": 0, "done": 0, "total": 0}
        assert visitor.get(f"jobs/{done['id']}/result").content == result
        for name, was in ((running, "running"), (waiting, "waiting")):
            assert jobs[name]["state"] == "interrupted"
            assert f"while this was {was}; send it again" in jobs[name]["error"]
        again = visitor.edit(jobs[waiting]["recipe"])
        assert visitor.get(f"jobs/{again['id']}/result").content == result
        check_refused(tmp_path, ("--port", "0", "--data", "kept"), "--data kept is used by another server; stop that")
        check_refused(
            tmp_path, ("--port", str(server.port), "--data", "other"), "cannot be used (Address already in use); choose"
        )


def check_refused(folder, options, message):
    command = [sys.executable, "-m", "dragondiffusion", "web", *options]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, message in ended.stderr) == (2, True), ended.stderr


@pytest.mark.slow
def test_twenty_at_once_and_what_else_the_server_does(tmp_path, data, picture, mask):
    with Tiny(tmp_path, data, "--pixels", "1", "--upload", "1") as server:
        ended, failed = {}, []

        def edit(k):
            try:
                with httpx.Client(base_url=server.url, timeout=120) as client:
                    visitor = Visitor(client)
                    recipe = visitor.recipe(picture, mask, seed=k)
                    count = 3 if k == 0 else 1  # one who asks for more than the others
                    names = [visitor.post("jobs", json={"recipe": recipe}).json()["id"] for _ in range(count)]
                    for turn, name in enumerate(names):
                        job = visitor.finished(name)
                        ended[k, turn] = time.monotonic()
                        assert (job["state"], job["seed"]) == ("done", k), job
                        assert visitor.get(f"jobs/{name}/result").status_code == 200
            except Exception as error:  # noqa: BLE001
                failed.append((k, error))

        threads = [threading.Thread(target=edit, args=(k,)) for k in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert failed == []
        assert len(ended) == 22
        # Who asks for three gets the third only after almost everybody got one.
        assert sum(moment < ended[0, 2] for (k, _), moment in ended.items() if k) >= 15
        check_gradio(server, tmp_path, picture, mask)
        check_page(server)
        check_size(server)


def check_gradio(server, folder, picture, mask):
    from gradio_client import Client, handle_file

    Image.fromarray(picture).save(folder / "cup.png")
    edit = {"edit": "move", "mask": {"box": [16, 20, 40, 44]}, "offset": [20, 5]}
    recipe = {"edits": [edit], "settings": STEPS}
    client = Client(server.url, verbose=False, download_files=str(folder / "downloads"))
    result, words = client.predict(handle_file(folder / "cup.png"), json.dumps(recipe), api_name="/edit")
    path = result["path"] if isinstance(result, dict) else result
    assert "background untouched" in words
    visitor = Visitor(server.client)
    alone = visitor.edit(visitor.recipe(picture, mask))
    (folder / "alone.png").write_bytes(visitor.get(f"jobs/{alone['id']}/result").content)
    assert np.array_equal(np.array(Image.open(path)), np.array(Image.open(folder / "alone.png")))
    out = json.dumps(recipe | {"edits": [edit | {"offset": [999, 0]}]})
    with pytest.raises(Exception, match="moves the object out"):
        client.predict(handle_file(folder / "cup.png"), out, api_name="/edit")
    stolen = {"path": str(folder / "cup.png"), "meta": {"_type": "gradio.FileData"}}
    for given in (stolen, {"path": stolen["path"]}, {"path": "/etc/passwd"}):
        asked = server.client.post("gradio_api/call/edit", json={"data": [given, json.dumps(recipe)]})
        answer = server.client.get(f"gradio_api/call/edit/{asked.json()['event_id']}")
        assert "event: error" in answer.text
    for stolen in ("/etc/passwd", str(folder / "kept" / "lock")):
        assert server.client.get(f"gradio_api/file={stolen}").status_code in (403, 404)


def check_page(server):
    html = server.client.get("").text
    for host in ("fonts.googleapis", "cdn.", "huggingface.co"):
        assert f'src="https://{host}' not in html
    script = server.client.get("page/main.js")
    assert (script.status_code, "javascript" in script.headers["content-type"]) == (200, True)
    assert script.headers["content-encoding"] == "gzip"
    assert "Move, erase, paste" in html
    lasting = server.client.get(re.search(r"assets/[\w-]+-[\w-]{8}\.js", html)[0])
    assert "immutable" in lasting.headers["cache-control"]
    assert "immutable" not in server.client.get("assets/none-12345678.js").headers.get("cache-control", "")


def check_size(server):
    visitor = Visitor(server.client)
    assert visitor.session["limits"]["pixels"] == 1_000_000
    assert visitor.post("pictures", content=png(np.zeros((1001, 1000), np.uint8))).status_code == 422
    for much in (b"\x00" * (2**20 + 1), iter([b"\x00" * 2**19] * 3)):
        answer = visitor.post("pictures", content=much)
        assert (answer.status_code, "more than 1 MB" in answer.text) == (413, True)
