"""The queue: turns, bounds, what a server that was killed leaves behind."""

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
