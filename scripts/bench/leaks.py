"""Rows of what arrays must not leave behind: descriptors, segments, mappings and memory, when many were made, attached, released.

A short form is always run; `--long` makes the 100,000 cycles.
"""

import dataclasses
import functools
import json

from arrays import python_with, quoted
from contest import Row
from programs import LONG_DEADLINE, META, run
from slopes import PROCESSES, STEPS, slope

SHORT, LONG = 10_000, 100_000
WARM, LONG_WARM = 2_000, 40_000  # the longer one fills meta's ledger of calls
SHORT_LIMIT, LONG_LIMIT = 4096.0, 16.0  # bytes for each cycle; the short form sees an array that is left, over what still warms up
MOST = 16

# An array of 4 KB: each cycle makes one, in Python and in Node by turns, has the other one look at it, and gives it back.
# In the synchronous loop nothing else runs in Node, so what comes to it between two tasks does not come.
PYTHON = """
import gc, meta, os
import numpy

def give(): return numpy.full(512, 1.5)

def take(x): return float(x[511])

def lines(path, word):
    with open(path) as file: return sum(word in line for line in file)

def memory(pid):
    with open('/proc/%s/status' % pid) as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmRSS:')) * 1024

def held(pids, family):
    gc.collect()
    files = sum(name.startswith(family) for name in os.listdir('/dev/shm'))
    open_files = [len(os.listdir('/proc/%s/fd' % pid)) for pid in pids]
    mappings = [lines('/proc/%s/maps' % pid, '/dev/shm/meta-') for pid in pids]
    return {'memory': [memory(pid) for pid in pids], 'left': [files, *open_files, *mappings]}
"""
NODE = """
globalThis.give = () => new Float64Array(512).fill(1.5);
globalThis.take = (x) => { const found = x[511]; x.release(); return found; };
globalThis.loop = (count) => {
    for (let turn = 0; turn < count; turn += 2) {
        if (take(meta.call('py.give')) !== 1.5 || meta.call('py.take', give()) !== 1.5) throw new Error('the items are others');
    }
    return 0;
};
require('node:v8').setFlagsFromString('--expose-gc');
globalThis.collect = require('node:vm').runInNewContext('gc'); 0
"""
CYCLES = """
(py "%(python)s") (js "%(node)s")
(def pids [(py "os.getppid()") (py "os.getpid()") (js "process.pid")])
(def family (py "'meta-%%d-%%d-' %% (os.getuid(), os.getppid())"))
(def collected ()
  (var turn 0)
  (while (< turn 5)
    (js "collect(); new Promise((done) => setTimeout(done, 20))")
    (js.take (py.give)) (py.take (js.give))
    (set turn (+ turn 1)))
  (py.held pids family))
(def turns (count)
  (var turn 0)
  (while (< turn count)
    (if (!= [1.5 1.5] [(js.take (py.give)) (py.take (js.give))]) (throw "the items are others"))
    (set turn (+ turn 2)))
  0)
(%(loop)s %(warm)d)
(def first (collected))
(concat [first] (map (fn (_) (%(loop)s %(step)d) (collected)) (range %(steps)d)))
"""


def rows(long: bool) -> list[Row]:
    count, limit = (LONG, LONG_LIMIT) if long else (SHORT, SHORT_LIMIT)
    rows = []
    for title, loop in [("arrays made, attached, released", "turns"), ("the same in one synchronous loop of JS", "js.loop")]:
        title = f"{count:,} {title}"
        kept = functools.cache(functools.partial(measure, loop, count))
        left = lambda kept=kept: kept().left
        rows.append(Row(f"{title}: descriptors, segments, mappings left", left, f"{MOST}", lambda: MOST, 1, "", 1))
        for name, place in PROCESSES.items():
            ours = lambda kept=kept, place=place: kept().growth[place]
            against = f"{limit:g} B" if long else f"{limit:g} B ({LONG_LIMIT:g} B with `--long`)"
            rows.append(Row(f"{title}: growth of {name}, each", ours, against, lambda: limit, 1, "B", 1))
    return rows


@dataclasses.dataclass
class Leak:
    """How many things more there are at the end, of all kinds in all processes; bytes of memory for each cycle, by process."""

    left: int
    growth: list[float]


def measure(loop: str, count: int) -> Leak:
    warm = LONG_WARM if count >= LONG else WARM
    step = (count - warm) // STEPS // 2 * 2
    values = {"python": quoted(PYTHON), "node": quoted(NODE), "loop": loop, "warm": warm, "step": step, "steps": STEPS}
    samples = json.loads(run([META, "--raw", "-e", CYCLES % values], LONG_DEADLINE, META_PYTHON=python_with("numpy")))
    left = sum(max(0, late - early) for early, late in zip(samples[0]["left"], samples[-1]["left"]))
    return Leak(left, [slope(figures, step) for figures in zip(*(sample["memory"] for sample in samples))])
