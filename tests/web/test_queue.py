"""The queue: turns, bounds, what a server that was killed leaves behind."""

import errno
import json
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragondiffusion.web.limits import Limits, RefusedError
from dragondiffusion.web.queue import EditJob, Queue
from dragondiffusion.web.sessions import Session, Sessions


@pytest.fixture
def sessions(tmp_path):
    return Sessions(tmp_path / "sessions", Limits())


def job(session):
    return EditJob(session, {"image": "x"})


class Nobody(Session):
    """A session that keeps nothing."""

    def __init__(self, name):
        self.name = name

    def write_job(self, name, record):
        pass

    def remove_job(self, name):
        pass


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_nobody_waits_for_more_than_one_job_of_every_other(owners):
    queue, sessions = Queue(Limits(waiting=100, waiting_each=100)), [Nobody(str(k)) for k in range(5)]
    jobs = [queue.put(job(sessions[k])) for k in owners]
    expected = sorted(jobs, key=queue.position)
    taken = [queue.take() for _ in jobs]
    assert taken == expected
    for k in set(owners):
        own = [jobs[i] for i, owner in enumerate(owners) if owner == k]
        assert [one for one in taken if one in own] == own  # each session's in its order
        places = [taken.index(one) for one in own]
        for before, after in zip([-1, *places], places, strict=False):
            between = [one.session.name for one in taken[before + 1 : after]]
            assert len(between) == len(set(between))


def test_too_many_are_refused_and_nothing_is_lost():
    queue, one, other = Queue(Limits(waiting=3, waiting_each=2)), Nobody("one"), Nobody("other")
    first = [queue.put(job(one)), queue.put(job(one))]
    with pytest.raises(RefusedError, match="2 of your edits wait already") as refused:
        queue.put(job(one))
    assert refused.value.status == 429
    third = queue.put(job(other))
    with pytest.raises(RefusedError, match="3 edits wait already") as refused:
        queue.put(job(Nobody("late")))
    assert refused.value.status == 429
    assert [queue.take() for _ in range(3)] == [first[0], third, first[1]]


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked(sessions):
    queue, (_, session) = Queue(Limits()), sessions.begin()
    running, waiting = queue.put(job(session)), queue.put(job(session))
    assert queue.take() is running
    queue.cancel(waiting)
    assert waiting.state == "cancelled"
    queue.cancel(running)
    assert running.state == "running"
    assert running.cancelled.is_set()
    assert queue.counts == (0, 1)


def test_closing_ends_those_who_wait_for_jobs():
    queue, got = Queue(Limits()), []
    thread = threading.Thread(target=lambda: got.append(queue.take()))
    thread.start()
    queue.close()
    thread.join(5)
    assert got == [None]


def test_what_a_killed_server_did_not_finish_is_reported(sessions, tmp_path):
    queue, (_, session) = Queue(Limits()), sessions.begin()
    done, running, waiting = (queue.put(job(session)) for _ in range(3))
    assert queue.take() is done
    done.change(state="done", seconds=2.0, notes=["as it was"])
    done.save()
    assert queue.take() is running
    running.save()
    (session.folder / "jobs" / f"{'0' * 32}.json").write_text('{"recipe": {}')  # torn
    again = Queue(Limits())
    again.recover(Sessions(tmp_path / "sessions", Limits()))
    found = {one.id: one for one in again.of(session)}
    assert found.keys() == {done.id, running.id, waiting.id}
    assert (found[done.id].state, found[done.id].seconds, found[done.id].notes) == ("done", 2.0, ["as it was"])
    for one in (running, waiting):
        assert found[one.id].state == "interrupted"
        assert f"while this was {one.state}; send it again" in found[one.id].error
    assert again.counts == (0, 0)


def test_what_is_said_to_be_done_was_written_down_before(sessions):
    queue, (_, session) = Queue(Limits()), sessions.begin()
    one = queue.put(job(session))
    seen, save = [], EditJob.save
    one.save = lambda **fields: (seen.append((one.state, fields["state"])), save(one, **fields))
    one.end(state="done", notes=["new"])
    assert seen == [("waiting", "done")]
    assert (one.state, one.notes) == ("done", ["new"]) and session.jobs()[one.id]["notes"] == ["new"]


def test_a_record_that_cannot_be_written_is_said(sessions, monkeypatch):
    queue, (_, session) = Queue(Limits()), sessions.begin()
    one = queue.put(job(session))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("dragondiffusion.web.sessions.write_file", full)
    one.end(state="done", notes=["new"])
    assert one.state == "done" and one.notes[0] == "new"
    assert "could not write down this edit (No space left on device)" in one.notes[1]


def test_jobs_that_are_forgotten_while_they_run_stay_forgotten(sessions):
    queue, (_, session) = Queue(Limits()), sessions.begin()
    one = queue.put(job(session))
    assert queue.take() is one
    queue.forget(one)
    one.end(state="cancelled")
    assert session.jobs() == {} and queue.of(session) == []


def test_the_state_is_the_last_that_changes():
    seen = []

    class Watched(EditJob):
        def __setattr__(self, name, value):
            seen.append(name)
            super().__setattr__(name, value)

    one = Watched(Nobody("one"), {})
    seen.clear()
    one.change(state="done", result="x.png", notes=[])
    assert seen == ["result", "notes", "state", "version"]


def test_jobs_whose_result_was_taken_away_are_still_listed(sessions):
    queue, (_, session) = Queue(Limits()), sessions.begin()
    one = queue.put(job(session))
    one.end(state="done", result="0" * 32 + ".png")
    assert queue.facts(one).result is None


def test_lists_of_jobs_while_others_come():
    queue, session, end = Queue(Limits(waiting=10**6, waiting_each=10**6)), Nobody("one"), threading.Event()
    problems = []

    def listing():
        while not end.is_set():
            try:
                queue.of(session)
            except RuntimeError as error:
                problems.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread = threading.Thread(target=listing)
    thread.start()
    for _ in range(2000):
        queue.put(job(session))
    end.set()
    thread.join()
    sys.setswitchinterval(before)
    assert problems == []


def test_clients_wait_their_share_and_little_more():
    """20 sessions ask for one job after the other: none waits for more than twice its share."""
    queue, clients = Queue(Limits()), [Nobody(str(k)) for k in range(20)]
    asked = {one.name: 0 for one in clients}
    waits = {one.name: [] for one in clients}
    for client in clients:
        for _ in range(1 + 7 * (client.name == "0")):  # one of them as often as it may
            queue.put(job(client))
    for now in range(400):
        done = queue.take()
        queue.finished(done)
        name = done.session.name
        waits[name].append(now - asked[name])
        asked[name] = now
        queue.put(job(done.session))
    assert max(map(max, waits.values())) <= 20
    assert {len(one) for one in waits.values()} == {20}


def test_recipes_that_are_kept_take_no_more_than_their_room():
    limits = Limits(jobs_bytes=4000, waiting=100, waiting_each=100)
    queue, one = Queue(limits), Nobody("one")
    large = {"image": "x" * 480}
    kept = [queue.put(EditJob(one, large)) for _ in range(2)]
    with pytest.raises(RefusedError, match="no room for more; forget some") as refused:
        queue.put(EditJob(one, large))
    assert refused.value.status == 413
    queue.put(EditJob(Nobody("other"), large))
    queue.forget(kept[0])
    queue.put(EditJob(one, large))


def test_records_of_other_versions_are_read_as_far_as_they_go(sessions, tmp_path):
    queue, (_, session) = Queue(Limits()), sessions.begin()
    one = queue.put(job(session))
    one.end(state="done", seconds=2.0)
    path = session.folder / "jobs" / f"{one.id}.json"
    record = json.loads(path.read_text())
    del record["notes"]
    path.write_text(json.dumps(record))
    again = Queue(Limits())
    again.recover(Sessions(tmp_path / "sessions", Limits()))
    (found,) = again.of(session)
    assert (found.state, found.seconds, found.notes) == ("done", 2.0, [])
