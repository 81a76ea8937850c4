"""Rows of large values: records from Python to Node through meta, what that costs meta itself, and its own codec."""

import dataclasses
import functools
import json
import os
import pathlib
import statistics

import records
from contest import Row
from programs import META, NODE, ORJSON_PYTHON, PYTHON, Unavailable, available, run

HERE = pathlib.Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
CPU_LIMIT = 10.0
CODEC_SPEED = 100.0
CODEC_SIZE = 10
BARE = "`json.dumps` | pipe | `JSON.parse`"

# Crossings that are measured in a run, for each size in MB.
COUNTS = {10: 5, 50: 2}

CROSSING = '''
(py """import json
with open(path, encoding='utf-8') as file: records = json.load(file)
def give(): return records""" :path %(path)s)
(js "globalThis.take = (records) => records.length; 0")
(def status () (file.read "/proc/self/status"))
(def stat () (file.read "/proc/self/stat"))
(def cross () (let (start (time.monotonic) arrived (js.take (py.give))) [arrived (- (time.monotonic) start)]))
(def before (status))
(cross)
(def cpu (stat))
(def crossings (map (fn (_) (cross)) (range %(count)d)))
{before: before after: (status) idle: cpu busy: (stat) crossings: crossings}
'''

CODEC = """
(def text (file.read %(path)s))
(def value (json.parse text))
(if (!= (count value) %(count)d) (throw "records are missing"))
(if (!= (count (json.stringify value)) (count text)) (throw "the text is another"))
(def seconds (f) (let (start (time.monotonic) result (f)) (- (time.monotonic) start)))
{parse: (map (fn (_) (seconds (fn () (count (json.parse text))))) (range 3))
 print: (map (fn (_) (seconds (fn () (count (json.stringify value))))) (range 3))}
"""


def rows() -> list[Row]:
    return [*crossing_rows(), *codec_rows()]


@dataclasses.dataclass
class Crossing:
    """What a run of crossings says: milliseconds for one, meta's share of that time in percent, and its peak in MiB."""

    milliseconds: float
    share: float
    growth: float


def crossing_rows() -> list[Row]:
    rows = []
    for size in COUNTS:
        title = f"{size} MB of records py → js"
        kept = Kept(functools.partial(cross, size, PYTHON))
        rows += [
            Row(title, kept.taking("milliseconds"), BARE, pipe(size, PYTHON), 1.4, rounds=4),
            Row(f"{title}, with orjson", with_orjson(size), BARE, pipe(size, ORJSON_PYTHON), 0.85, rounds=3),
            Row(f"{title}: meta's share of a processor", kept.median("share"), "10 %", lambda: CPU_LIMIT, 1, "%", 1),
            Row(f"{title}: meta's memory at its peak", kept.median("growth"), "the body", mebibytes(size), 2, "MiB", 1),
        ]
    return rows


class Kept:
    """Runs whose figures are looked at from several rows: later rows measure nothing when the first one has."""

    def __init__(self, measure):
        self.measure = measure
        self.runs: list = []

    def taking(self, name: str):
        """A sampler: one more run."""

        def sample() -> float:
            self.runs.append(self.measure())
            return getattr(self.runs[-1], name)

        return sample

    def median(self, name: str):
        """A sampler: the median of the runs so far, at least one."""

        def sample() -> float:
            if not self.runs:
                self.runs.append(self.measure())
            return statistics.median(getattr(each, name) for each in self.runs)

        return sample


def cross(size: int, python: str) -> Crossing:
    """One run of meta with that Python: a crossing that is not counted, then the measured ones."""
    path, _ = records.file(size)
    program = CROSSING % {"path": records.json_text(path), "count": COUNTS[size]}
    told = json.loads(run([META, "--raw", "-e", program], META_PYTHON=python))
    with open(path, encoding="utf-8") as file:
        expected = len(json.load(file))
    if any(arrived != expected for arrived, _ in told["crossings"]):
        raise RuntimeError(f"of {expected} records only {told['crossings'][0][0]} arrived")
    seconds = [elapsed for _, elapsed in told["crossings"]]
    share = 100 * (ticks(told["busy"]) - ticks(told["idle"])) / TICKS / sum(seconds)
    growth = (kibibytes(told["after"], "VmHWM") - kibibytes(told["before"], "VmRSS")) / 1024
    return Crossing(statistics.median(seconds) * 1000, share, growth)


def with_orjson(size: int):
    """Milliseconds for a crossing from the Python that has orjson: its requirements are beside it when installed."""

    def sample() -> float:
        python = available(ORJSON_PYTHON, "the Python with orjson")
        if not pathlib.Path(python).parent.with_name("requirements.txt").exists():
            raise Unavailable("orjson is not installed (scripts/setup bench)")
        return cross(size, python).milliseconds

    return sample


def pipe(size: int, python: str):
    """Milliseconds for the same records over a bare pipe."""
    script, count = str(HERE / "pipe.py"), str(COUNTS[size])
    return lambda: float(run([python, script, NODE, records.file(size)[0], count]))


def mebibytes(size: int):
    return lambda: records.file(size)[1] / (1 << 20)


def ticks(stat: str) -> int:
    """A process's own processor time, from the text of /proc/PID/stat: fields 14 and 15, user and system."""
    fields = stat.rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def kibibytes(status: str, name: str) -> int:
    """A figure of /proc/PID/status."""
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name + ":"))


def codec_rows() -> list[Row]:
    """meta's own JSON, against a speed: what counts is the time for the same bytes."""
    kept = Kept(codec)
    limit = lambda: records.file(CODEC_SIZE)[1] / 1e6 / CODEC_SPEED * 1000
    return [
        Row(f"`({form} …)`, {CODEC_SIZE} MB of records", sample, f"{CODEC_SPEED:g} MB/s", limit, 1, rounds=5)
        for form, sample in [("json.parse", kept.taking("parse")), ("json.stringify", kept.taking("print"))]
    ]


@dataclasses.dataclass
class Codec:
    """Milliseconds to read and to print the records."""

    parse: float
    print: float


def codec() -> Codec:
    path, _ = records.file(CODEC_SIZE)
    with open(path, encoding="utf-8") as file:
        count = len(json.load(file))
    told = json.loads(run([META, "--raw", "-e", CODEC % {"path": records.json_text(path), "count": count}]))
    return Codec(*(statistics.median(told[name]) * 1000 for name in ("parse", "print")))
