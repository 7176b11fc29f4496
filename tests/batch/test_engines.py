"""Workers that are processes: they die with their driver, and what they were making is made again."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from batch_fakes import DirectEngine, FakeWorker, Squares
from batch_lines import job, write
from dragondiffusion.batch.commands import Batch
from dragondiffusion.batch.engine import Held, each, portable
from dragondiffusion.batch.local import LocalEngine, devices

TESTS = Path(__file__).parent.parent

DRIVE = """
import sys
from functools import partial
from dragondiffusion.cli import main as cli
from dragondiffusion.batch.commands import Batch
from dragondiffusion.batch.local import LocalEngine
from batch_fakes import DirectEngine, FakeWorker, Squares

if __name__ == "__main__":
    Batch._engine = lambda self, orders, threads: LocalEngine(partial(FakeWorker, "log", True), self.jobs or 2)
    sys.exit(cli.main(["batch", "jobs.jsonl", "--out", "out", *sys.argv[1:]]))
"""


def drive(folder, *options):
    """A driver in a process of its own, with workers that die for real."""
    (folder / "drive.py").write_text(DRIVE)
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "drive.py", *options],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=heedful,  # noqa: PLW1509 (nothing else runs then)
    )


def heedful():
    """Tests that run in the background of a shell, or under `nohup`, ignore these signals, and so would the driver."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def workers(driver):
    """Process ids of a driver's workers."""
    children = psutil.Process(driver).children()
    return [child.pid for child in children if "spawn_main" in " ".join(child.cmdline())]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def local(batch, monkeypatch):
    """Batches whose workers are processes."""

    def engine(command, orders, threads):
        batch.engines.append(LocalEngine(partial(FakeWorker, batch.log, True), command.jobs or 2))
        return batch.engines[-1]

    monkeypatch.setattr(Batch, "_engine", engine)
    return batch


def test_workers_that_are_killed_are_replaced(local, folder):
    prompts = {3: "die", 5: "die once", 6: "wait 600"}
    write(folder, *(job(name=f"{k}", seed=k, prompt=prompts.get(k, "")) for k in range(10)))
    code, said = local("--retries", 1, "--timeout", 1)
    assert code == 3 and "8 of 10 jobs finished, 2 failed" in said
    entries = local.manifest()
    assert entries["6.png"]["error"] == "its worker was lost (it took longer than 1 s), 2 attempts"
    assert entries["3.png"]["error"] == "its worker was lost (killed by SIGKILL), 2 attempts"
    assert entries["5.png"]["attempts"] == 2 and entries["5.png"]["state"] == "finished"
    asked = local.asked()
    assert [asked.count(f"{k}.png") for k in range(10)] == [1, 1, 1, 2, 1, 2, 2, 1, 1, 1]


def written(folder):
    """Results; files that begin with a point are being written."""
    return list(folder.glob("out/[!.]*.png"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_die_with_their_driver_and_nothing_is_lost(folder, capsys):
    (folder / "log").mkdir()
    lines = [job(name=f"{k}", seed=k, image=("cup.png", "car.png")[k % 2], prompt="wait 0.1") for k in range(24)]
    write(folder, *lines)
    driver = drive(folder)
    until(lambda: len(written(folder)) >= 4)
    own = workers(driver.pid)
    assert len(own) == 2
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    until(lambda: not any(map(alive, own)), 10)
    done = {path.name for path in written(folder)}
    again = drive(folder)
    until(lambda: len(written(folder)) >= len(done) + 4)
    os.kill(workers(again.pid)[0], signal.SIGKILL)
    said, _ = again.communicate(timeout=60)
    assert again.returncode == 0, said
    assert "24 of 24 jobs finished" in said
    asked = [text.split()[1] for text in (path.read_text() for path in (folder / "log").iterdir()) if "edit" in text]
    counts = {name: asked.count(name) for name in asked}
    assert len(counts) == 24 and all(counts[name] == 1 for name in done)
    # A worker has two jobs at most: one that it makes, and one that it made and nobody wrote down.
    assert sum(counts.values()) <= 24 + 2 * 2 + 1, "again only what workers had in hand"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_ctrl_c_and_those_who_end_it_find_order(folder, number, code):
    (folder / "log").mkdir()
    write(folder, *(job(name=f"{k}", seed=k, prompt="wait 0.2") for k in range(40)))
    driver = drive(folder)
    until(lambda: len(written(folder)) >= 2)
    own = workers(driver.pid)
    assert len(own) == 2
    os.killpg(driver.pid, number)  # as a terminal does, to all of them
    said, _ = driver.communicate(timeout=30)
    assert driver.returncode == code
    assert "Traceback" not in said and "what is finished stays; the same command goes on" in said
    assert not any(map(alive, own)) and (folder / "out" / "manifest.json").exists()


def test_each_gives_back_what_workers_make():
    assert sorted(each(DirectEngine(Squares, 3), "square", list(range(1, 9)))) == [k * k for k in range(1, 9)]
    with pytest.raises(ValueError, match="13 brings bad luck"):
        list(each(DirectEngine(Squares, 2), "square", [1, 13, 2]))


def test_each_ends_where_a_process_is_killed():
    with pytest.raises(OSError, match=r"a worker was lost \(killed by SIGKILL\); .* the same command goes on"):
        list(each(LocalEngine(Squares, 1), "square", [1, 17, 2]))


def test_errors_travel():
    class OddError(Exception):
        def __init__(self, a, b):
            super().__init__(f"{a} {b}")

    assert str(portable(ValueError("as it is"))) == "as it is" and type(portable(ValueError("x"))) is ValueError
    assert str(portable(OddError(1, 2))) == "OddError: 1 2"
    fine, error = Held(lambda place: 1 / place, 0).call("any", None, {})
    assert not fine and isinstance(error, ZeroDivisionError)


def test_devices_of_this_machine(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    assert devices(None) == devices("cuda") == ("cuda:0", "cuda:1", "cuda:2")
    assert devices("cuda:1") == ("cuda:1",) and devices("cpu") == ("cpu",)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert devices(None) == (None,)
