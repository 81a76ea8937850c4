"""Rows of memory that must not grow: resident memory for each handle made and dropped, and each record that crosses.

A short form is always run; `--long` makes the million.
"""

import functools
import json

import records
from contest import Row
from crossing import kibibytes
from programs import DEADLINE, LONG_DEADLINE, META, run

PROCESSES = {"meta": 0, "Python": 1, "Node": 2}
SHORT, LONG = 100_000, 1_000_000

# Warm-up is a fifth of the way. Each turn is two crossings, one from either side.
SLOPE = """
(py "import gc, os\n%(python)s")
(js "%(node)s; globalThis.collect = (require('node:v8').setFlagsFromString('--expose-gc'), require('node:vm').runInNewContext('gc')); 0")
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
(def before (collected))
(turns %(measured)d)
{before: before after: (collected)}
"""

HANDLES = {
    "python": "class Point: pass\n\ndef give(): return Point()\n\ndef take(handle): return 0",
    "node": "globalThis.Point = class Point {}; globalThis.give = () => new Point(); globalThis.take = () => 0",
}


def rows(long: bool) -> list[Row]:
    count = LONG if long else SHORT
    text = records.one()
    held = {
        "python": f"import json\nrecord = json.loads({text!r})\ndef give(): return record\n\ndef take(value): return 0",
        "node": f"globalThis.record = JSON.parse({json.dumps(text)}); globalThis.give = () => record; globalThis.take = () => 0",
    }
    rows = []
    for title, code in [("handles made and dropped", HANDLES), ("records of 1 KB crossed", held)]:
        measured = functools.cache(functools.partial(slopes, code, count))
        for name, place in PROCESSES.items():
            ours = lambda measured=measured, place=place: measured()[place]
            rows.append(Row(f"{count:,} {title}: growth of {name}, each", ours, "1 byte", lambda: 1.0, 1, "B", 1))
    return rows


def slopes(code: dict[str, str], count: int) -> list[float]:
    """Bytes by which meta, Python and Node grow for each crossing, both ends after a forced collection."""
    warm = count // 5
    quoted = {name: records.json_text(text)[1:-1] for name, text in code.items()}
    program = SLOPE % (quoted | {"warm": warm // 2, "measured": (count - warm) // 2})
    told = json.loads(run([META, "--raw", "-e", program], LONG_DEADLINE if count >= LONG else DEADLINE))
    pairs = zip(told["before"], told["after"])
    return [(kibibytes(after, "VmRSS") - kibibytes(before, "VmRSS")) * 1024 / (count - warm) for before, after in pairs]
