"""A meta whose Python has what Tests/requirements.txt names: NumPy, Pillow. Arrays of this run leave nothing behind."""

import json
import os
import pathlib
import sys

import pytest
from session import Session

FOLDER = pathlib.Path("/dev/shm")


def segments(process):
    """The names of a meta's segments, its lock left out."""
    prefix = f"meta-{os.getuid()}-{process}-"
    return sorted(path.name for path in FOLDER.iterdir() if path.name.startswith(prefix) and not path.name.endswith("-lock"))


class Meta(Session):
    def __call__(self, form):
        """What the form prints, without the comment on where it came from."""
        return "\n".join(line.split("  ; ")[0] for line in self.evaluate(form))

    def fails(self, form):
        """The code and the message of the error that the form ends with."""
        line = self.evaluate(form)[0]
        assert line.startswith("error["), line
        return line

    @property
    def segments(self):
        return segments(self.process.pid)

    def frames(self):
        """The direction and header of every frame so far."""
        found = []
        for line in self.trace.read_text().splitlines():
            _, _, direction, rest = line.split(" ", 3)
            found.append((direction, json.JSONDecoder().raw_decode(rest)[0]))
        return found


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
