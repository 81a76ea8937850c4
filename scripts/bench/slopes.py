"""Rows of memory that must not grow: resident memory for each handle made and dropped, and each record that crosses.

A short form is always run, which cannot tell a byte from an allocator's noise; `--long` makes the million and can.
"""

import functools
import itertools
import json
import statistics

import records
from contest import Row
from crossing import kibibytes
from programs import DEADLINE, LONG_DEADLINE, META, run

PROCESSES = {"meta": 0, "Python": 1, "Node": 2}
SHORT, LONG = 100_000, 1_000_000
WARM = 40_000
SHORT_LIMIT = 16.0
STEPS = 8

# Warm-up is a fifth of the way, and long enough for what is bounded to be full (meta's ledger of 65,536 calls). Each
# turn is two crossings, one from either side.
SLOPE = """
(py "import gc, os\n%(python)s")
(js "%(node)s; require('node:v8').setFlagsFromString('--expose-gc'); 0")
(js "globalThis.collect = require('node:vm').runInNewContext('gc'); 0")
(def pids ["self" (py "os.getpid()") (js "process.pid")])
(def status () (map (fn (pid) (file.read (str "/proc/" pid "/status"))) pids))
(def collected ()
  (var turn 0)
  (while (< turn 5)
    (py "gc.collect()")
    (js "collect(); new Promise((done) => setTimeout(done, 20))")
    (py.take (js.give)) (js.take (py.give))
    (set turn (+ turn 1)))
  (status))
(def turns (count) (var turn 0) (while (< turn count) (js.take (py.give)) (py.take (js.give)) (set turn (+ turn 1))) 0)
(turns %(warm)d)
(def first (collected))
(concat [first] (map (fn (_) (turns %(step)d) (collected)) (range %(steps)d)))
"""

GIVE_PYTHON = "def give(): return %s\n\ndef take(value): return 0"
GIVE_NODE = "globalThis.give = () => %s; globalThis.take = () => 0"
HANDLES = {
    "python": f"class Point: pass\n\n{GIVE_PYTHON % 'Point()'}",
    "node": f"globalThis.Point = class Point {{}}; {GIVE_NODE % 'new Point()'}",
}


def rows(long: bool) -> list[Row]:
    count, limit = (LONG, 1.0) if long else (SHORT, SHORT_LIMIT)
    text = records.one()
    held = {
        "python": f"import json\nrecord = json.loads({text!r})\n{GIVE_PYTHON % 'record'}",
        "node": f"globalThis.record = JSON.parse({json.dumps(text)}); {GIVE_NODE % 'record'}",
    }
    rows = []
    for title, code in [("handles made and dropped", HANDLES), ("records of 1 KB crossed", held)]:
        measured = functools.cache(functools.partial(slopes, code, count))
        for name, place in PROCESSES.items():
            ours = lambda measured=measured, place=place: measured()[place]
            against = f"{limit:g} B" if long else f"{limit:g} B (1 B with `--long`)"
            rows.append(Row(f"{count:,} {title}: growth of {name}, each", ours, against, lambda: limit, 1, "B", 1))
    return rows


def slopes(code: dict[str, str], count: int) -> list[float]:
    """Bytes by which meta, Python and Node grow for each crossing.

    The median of the slopes between any two of the samples, each after a forced collection: one step up (an allocator
    that takes another arena) is no slope, a leak is one everywhere.
    """
    warm = max(count // 5, WARM)
    step = (count - warm) // STEPS
    quoted = {name: records.json_text(text)[1:-1] for name, text in code.items()}
    program = SLOPE % (quoted | {"warm": warm // 2, "step": step // 2, "steps": STEPS})
    told = json.loads(run([META, "--raw", "-e", program], LONG_DEADLINE if count >= LONG else DEADLINE))
    held = [[kibibytes(status, "VmRSS") * 1024 for status in sample] for sample in told]
    return [slope(figures, step) for figures in zip(*held)]


def slope(figures: tuple[int, ...], step: int) -> float:
    """The median growth for each crossing between any two samples, which are `step` crossings apart."""
    pairs = itertools.combinations(enumerate(figures), 2)
    return statistics.median((late - early) / (step * (to - of)) for (of, early), (to, late) in pairs)
