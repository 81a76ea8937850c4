"""A meta whose Python has what Tests/requirements.txt names: NumPy, Pillow. Arrays of this run leave nothing behind."""

import sys

import pytest
from arraymeta import Meta, segments


@pytest.fixture
def meta(tmp_path, monkeypatch):
    trace = tmp_path / "trace"
    trace.touch()
    monkeypatch.setenv("META_TRACE", str(trace))
    monkeypatch.setenv("META_PYTHON", sys.executable)
    with Meta(deadline=240) as session:
        session.trace = trace
        yield session
        process = session.process.pid
        session.finish("(exit)")
    assert segments(process) == []


@pytest.fixture
def start(monkeypatch):
    """start(*arguments): a meta without a trace; what it prints is readable, and it leaves nothing behind."""
    monkeypatch.setenv("META_PYTHON", sys.executable)
    running = []

    def make(*arguments, **options):
        running.append(Meta(**{"deadline": 600, "arguments": arguments} | options))
        return running[-1]

    yield make
    for session in running:
        with session:
            if session.process.poll() is None:
                session.finish("(exit)")
                assert segments(session.process.pid) == []
