"""A meta that is fed forms, and the frames that it exchanges."""

import json

import pytest
from session import Session

POINT = """(py "
class Point:
    gone = []
    def __init__(self, x): self.x = x
    def moved(self, by, times=1): return Point(self.x + by * times)
    def __repr__(self): return f'Point({self.x})'
    def __eq__(self, other): return isinstance(other, Point) and self.x == other.x
    def __hash__(self): return self.x
    def __del__(self): Point.gone.append(self.x)
")"""
BOX = """(js "globalThis.Box = class Box {
    constructor(v) { this.v = v }
    plus(n, options) { return this.v + n + (options?.k ?? 0) }
}; null")"""


class Meta(Session):
    def __call__(self, form: str) -> str:
        """What the form prints, without the comment on where it came from."""
        return "\n".join(line.split("  ; ")[0] for line in self.evaluate(form))

    def frames(self) -> list[tuple[str, dict]]:
        """The direction and header of every frame so far."""
        found = []
        for line in self.trace.read_text().splitlines():
            _, _, direction, rest = line.split(" ", 3)
            found.append((direction, json.JSONDecoder().raw_decode(rest)[0]))
        return found

    def requests(self, operation: str, form: str) -> int:
        """How many requests of that kind the form sends."""
        before = len(self.frames())
        self(form)
        return sum(header.get("op") == operation for direction, header in self.frames()[before:] if direction in ">v")


@pytest.fixture
def meta(tmp_path, monkeypatch):
    trace = tmp_path / "trace"
    trace.touch()
    monkeypatch.setenv("META_TRACE", str(trace))
    with Meta(deadline=240) as session:
        session.trace = trace
        session(POINT)
        session(BOX)
        yield session
