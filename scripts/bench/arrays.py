"""Rows of arrays, long bytes and long texts in shared memory: attaching, publishing, copying, and meta's own arithmetic.

The Python that meta uses in these rows is the one with other bridges, which has NumPy.
"""

import dataclasses
import functools
import json
import os
import pathlib
import statistics

import records
from contest import Row
from crossing import Kept
from programs import META, NODE, PEERS_PYTHON, Unavailable, available, run

HERE = pathlib.Path(__file__).resolve().parent
ITEMS = 10_000_000
BYTES = 10_000_000

SECONDS = "(def seconds (f) (let (start (time.monotonic)) (f) (- (time.monotonic) start)))"
TOUCH_PYTHON = "def touch(x): return float(x[0] + x[len(x) // 2] + x[-1])\n\ndef same(x): return x"
TOUCH_NODE = """
globalThis.kept = [];
globalThis.sum = (x) => x[0] + x[x.length >> 1] + x[x.length - 1];
globalThis.touch = (x) => { const found = sum(x); x.release(); return found; };
globalThis.keep = (x) => { kept.push(x); return sum(x); };
globalThis.same = (x) => x; 0"""

# Three ways to see one array that lies in a segment from the start. In each turn each is asked for 1 GB, for 1 MB, and for a
# number that it gives back. The array of 1 MB is published first: nothing that is done once is in the first call with 1 GB.
ATTACH = """
(spawn 'py :as "py2")
(py "import meta\n%(python)s\n\ndef made(count):\n    array = meta.empty(count)\n    array.fill(1.5)\n    return array")
(py2 "%(python)s")
(js "%(node)s")
(def large (py.made 125000000))
(def little (py.made 125000))
%(seconds)s
(def check (x) (if (!= [4.5 4.5 4.5] [(js.touch x) (py2.touch x) (py.touch x)]) (throw "the items are others")))
(def turn () [
  (seconds (fn () (js.touch large))) (seconds (fn () (js.touch little))) (seconds (fn () (js.same 1.5)))
  (seconds (fn () (py2.touch large))) (seconds (fn () (py2.touch little))) (seconds (fn () (py2.same 1.5)))
  (seconds (fn () (py.touch large))) (seconds (fn () (py.touch little))) (seconds (fn () (py.same 1.5)))])
(check little)
(def first (seconds (fn () (js.touch large))))
(check large)
(map (fn (_) (turn)) (range 10))
{first: first turns: (map (fn (_) (turn)) (range 61))}
"""

# An ordinary array, other than the last time. JavaScript gives the memory back, so that the segment is used again, or keeps it.
CROSS = """
(py "import numpy\nsource = numpy.arange(%(items)d, dtype='f8')\n
def give():\n    source[0] += 1\n    return source")
(js "%(node)s")
%(seconds)s
(def cross (turn) (if (!= (js.%(take)s (py.give)) (+ turn %(middle)d %(last)d)) (throw "the items are others")))
(map cross (range 1 %(warm)d))
(map (fn (turn) (seconds (fn () (cross turn)))) (range %(warm)d %(end)d))
"""

# A text's characters are all of one UTF-16 unit, so that its length is the same everywhere.
TEXT = "Grüße aus Zürich; кириллица, 日本語のテキスト, 0123. "
LONG = {
    "bytes": ("[os.urandom(%d) for _ in range(4)]" % BYTES, "(x) => x[0] + x[x.length >> 1] + x[x.length - 1] >= 0 ? x.length : 0"),
    "text": (
        "[str(turn) + %r * %d for turn in range(4)]" % (TEXT, BYTES // len(TEXT.encode())),
        "(x) => x[0] + x[x.length >> 1] + x[x.length - 1] !== '' ? x.length : 0",
    ),
}
LONG_CROSS = """
(py "import itertools, os\nvalues = %(values)s\nturns = itertools.cycle(values)\ndef give(): return next(turns)")
(js "globalThis.take = %(take)s; 0")
%(seconds)s
(def cross () (js.take (py.give)))
(if (!= (cross) (py "len(values[0])")) (throw "it is not whole"))
(map (fn (_) (cross)) (range 6))
(map (fn (_) (seconds cross)) (range 15))
"""

ARITHMETIC = """
(def b (py "__import__('numpy').arange(%(items)d, dtype='f8')"))
%(seconds)s
(if (!= (buffer.sum b) %(total)d) (throw "the sum is wrong"))
(if (!= (buffer.get (+ b b) -1) %(last)d) (throw "the sum of both is wrong"))
(map (fn (_) (seconds (fn () %(form)s))) (range 5))
(map (fn (_) (seconds (fn () %(form)s))) (range 21))
"""


def rows() -> list[Row]:
    return [*attach_rows(), *copy_rows(), *long_rows(), *arithmetic_rows()]


# MARK: Attach


@dataclasses.dataclass
class Attach:
    """Milliseconds: to publish 1 GB; for each reader, 1 GB beyond a small call, and beyond 1 MB."""

    publish: float
    js_call: float
    js_size: float
    other_call: float
    other_size: float
    home_call: float
    home_size: float


def attach_rows() -> list[Row]:
    kept = Kept(attach)
    rows = [Row("1 GB made in a segment: published, once", kept.taking("publish"), "40 ms", lambda: 40, 1, rounds=3)]
    for name, where in [("js", "in JS"), ("other", "in a second Python session"), ("home", "in Python, its owner")]:
        title = f"attach of a published array {where}"
        call, size = kept.median(f"{name}_call"), kept.median(f"{name}_size")
        rows += [
            Row(f"{title}: 1 GB beyond a small call", call, "1 ms", lambda: 1, 1, rounds=1),
            Row(f"{title}: 1 GB beyond 1 MB", size, "0.2 ms", lambda: 0.2, 1, rounds=1),
        ]
    return rows


def attach() -> Attach:
    told = measured(ATTACH % {"python": quoted(TOUCH_PYTHON), "node": quoted(TOUCH_NODE), "seconds": SECONDS})
    turns = told["turns"]
    beyond = lambda one, other: statistics.median(turn[one] - turn[other] for turn in turns) * 1000
    first = (told["first"] - statistics.median(turn[0] for turn in turns)) * 1000
    return Attach(first, beyond(0, 2), beyond(0, 1), beyond(3, 5), beyond(3, 4), beyond(6, 8), beyond(6, 7))


# MARK: Copies


def copy_rows() -> list[Row]:
    title = f"{ITEMS:,} float64 of NumPy py → js"
    used = Kept(lambda: Copy(crossings("touch", 9)))
    new = lambda: crossings("keep", 7)
    again = f"{title}, segment used again"
    pipe = "multiprocessing's pipe"
    text = functools.cache(lambda: contender("json", 1))
    return [
        Row(again, used.taking("time"), "memcpy into touched memory", lambda: contender("memcpy", 15), 1.3, rounds=7),
        Row(f"{title}, new segment", new, "`write` to a new file", lambda: contender("write", 9), 1.2, rounds=7),
        Row(again, used.taking("time"), "mini-racer", lambda: contender("mini-racer", 9), 1 / 4, rounds=3),
        Row(again, used.taking("time"), f"{pipe}, `send(array)`", lambda: contender("array", 5), 1 / 15, rounds=3),
        Row(again, used.taking("time"), f"{pipe}, `send_bytes`", lambda: contender("bytes", 5), None, rounds=3),
        Row(again, used.median("time"), "`json.dumps` | pipe | `JSON.parse`", text, 1 / 500, rounds=1),
    ]


@dataclasses.dataclass
class Copy:
    time: float


def crossings(take: str, count: int) -> float:
    """Milliseconds for a new value; what is in the pool is used up, and what is built once is built, before."""
    warm = 5
    program = CROSS % {
        "items": ITEMS, "node": quoted(TOUCH_NODE), "seconds": SECONDS, "take": take, "warm": warm, "end": warm + count,
        "middle": ITEMS // 2, "last": ITEMS - 1,
    }
    return statistics.median(measured(program)) * 1000


def long_rows() -> list[Row]:
    pipe = "multiprocessing's pipe"
    text = "10 MB of text, not ASCII, py → js"
    return [
        Row("10 MB of bytes py → js", lambda: long("bytes"), pipe, lambda: contender("long bytes", 15), 1 / 4, rounds=5),
        Row(text, lambda: long("text"), "JSON over a pipe, the quicker", lambda: contender("text", 7), 0.65, rounds=5),
    ]


def long(kind: str) -> float:
    values, take = LONG[kind]
    return statistics.median(measured(LONG_CROSS % {"values": quoted(values), "take": quoted(take), "seconds": SECONDS})) * 1000


# MARK: Arithmetic


def arithmetic_rows() -> list[Row]:
    rows = []
    for form, name, against in [("(buffer.sum b)", "sum", "`b.sum()`"), ("(+ b b)", "add", "`b + b`")]:
        ours = lambda form=form: calculated(form)
        theirs = lambda name=name: contender(name, 21)
        rows.append(Row(f"`{form}` of {ITEMS:,} float64", ours, f"NumPy's {against}", theirs, 1.3, rounds=5))
    return rows


def calculated(form: str) -> float:
    total, last = ITEMS * (ITEMS - 1) // 2, 2 * (ITEMS - 1)
    program = ARITHMETIC % {"items": ITEMS, "seconds": SECONDS, "form": form, "total": total, "last": last}
    return statistics.median(measured(program)) * 1000


# MARK: Samplers


def measured(program: str):
    """What a run of meta says, with the Python that has NumPy."""
    return json.loads(run([META, "--raw", "-e", program], META_PYTHON=python_with("numpy")))


def contender(name: str, count: int) -> float:
    """Milliseconds, the median of so many turns."""
    module = {"mini-racer": "py_mini_racer"}.get(name, "numpy")
    return float(run([python_with(module), str(HERE / "copies.py"), name, str(count), NODE]))


@functools.cache
def python_with(module: str) -> str:
    """The Python with other bridges, where that has a module."""
    python = available(PEERS_PYTHON, "the Python with other bridges")
    try:
        run([python, "-c", f"import {module}"])
    except RuntimeError:
        raise Unavailable(f"{module} is not installed (scripts/setup bench)") from None
    return python


def quoted(text: str) -> str:
    """What stands between the quotes of a text of meta's."""
    return records.json_text(text)[1:-1]
