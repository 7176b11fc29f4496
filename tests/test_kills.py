"""Forty kills at random moments: what was finished is there, whole, and nothing is made twice but what was in hand.

Server and batch both are killed as a power cut would: without a chance to end in order.
"""

import json
import os
import random
import signal
import time

import psutil
import pytest
from PIL import Image

from batch.test_engines import alive, drive, until, workers
from batch_lines import job, pictures, write
from web.attacks import Killed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
OF_DRIVER, OF_WORKERS, OF_SERVER = 12, 20, 8
JOBS = 600
"""More than are made until the last kill."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log").mkdir()
    for name in ("cup", "cup-mask"):
        Image.new("RGB", (16, 16), "white").save(f"{name}.png")
    return tmp_path


def whole(folder):
    """Results by name; each of them can be read to its end."""
    found = {name: data for name, data in pictures(folder).items() if not name.startswith(".")}
    for name in found:
        with Image.open(folder / "out" / name) as image:
            image.load()
    return found


def repeated(folder):
    """Edits that were begun more often than once, each as often as that."""
    asked = [path.read_text() for path in (folder / "log").iterdir()]
    names = [text.split()[1] for text in asked if text.startswith("edit")]
    return len(names) - len(set(names))


def of(driver):
    """Process ids of a driver's workers; none of one that just ends."""
    try:
        return workers(driver.pid)
    except psutil.Error:
        return []


def kill(driver, chance):
    """Kills a driver, or without it one of its workers; gives how many jobs were in hand at most."""
    own = of(driver)
    if chance is not None:
        if own:
            os.kill(chance.choice(own), signal.SIGKILL)
        return 2
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    until(lambda: not any(map(alive, own)), 60)
    return 2 * len(own)


def after_some_edits(folder, driver, more):
    """Waits until so many further edits were begun; tells whether the driver still works."""
    begun = len(list((folder / "log").iterdir()))
    until(lambda: len(list((folder / "log").iterdir())) >= begun + more or driver.poll() is not None, 300)
    return driver.poll() is None


def test_kills_of_drivers_and_workers_lose_nothing(folder):
    """A worker has two jobs at most: one that it makes, and one that it made and nobody wrote down."""
    chance, before, in_hand = random.Random(0), {}, 0
    write(folder, *(job(name=f"{k}", seed=k, prompt="pace") for k in range(JOBS)))
    victims = [None] * OF_DRIVER + [chance] * OF_WORKERS
    chance.shuffle(victims)
    (folder / "pace").write_text("5")
    driver = drive(folder, "--retries", "50")
    while victims:
        if after_some_edits(folder, driver, chance.choice((0, 1, 1, 2))):
            if victims[-1] is None or of(driver):
                (folder / "pace").write_text("0.01" if victims[-1] is None else "5")  # results come while it is killed
                time.sleep(chance.uniform(0.0, 0.5))
                in_hand += kill(driver, victims.pop())
                (folder / "pace").write_text("5")
        else:  # it may give up where many workers in a row are lost
            assert "workers in a row were lost" in driver.communicate()[0]
        if driver.returncode is not None:
            found = whole(folder)
            assert found.items() >= before.items(), "what was finished stays as it is"
            before, driver = found, drive(folder, "--retries", "50")
    (folder / "pace").write_text("0")
    said, _ = driver.communicate(timeout=600)
    assert driver.returncode == 0 and f"{JOBS} of {JOBS} jobs finished, 0 failed, 0 left" in said, said
    found = whole(folder)
    assert len(found) == JOBS and found.items() >= before.items()
    assert len(found) == len(list((folder / "out").glob("*.png"))) == len(list((folder / "out").rglob("*.png")))
    assert 0 < repeated(folder) <= in_hand, "again only what was in hand"
    counts = json.loads((folder / "out" / "manifest.json").read_text())["counts"]
    assert counts == {"finished": JOBS, "failed": 0, "waiting": 0}


def test_kills_of_servers_lose_nothing(tmp_path):
    killed = Killed(tmp_path, 1)
    for _ in range(OF_SERVER):
        killed.one()
    print(f"{len(killed.asked)} jobs taken, {len(killed.finished)} results, {len(killed.deleted)} deleted")
    assert killed.finished and killed.deleted
