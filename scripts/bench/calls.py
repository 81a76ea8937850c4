"""Rows of small calls: against bare echo loops (E), against other bridges, in batches, and back into meta."""

import pathlib

import records
from contest import Row
from programs import BASH, META, NODE, PEERS_PYTHON, PYTHON, Unavailable, available, compiled, milliseconds, run

HERE = pathlib.Path(__file__).resolve().parent
CALL_COUNT = 2000
BATCH = 10_000

# A warm call of each language: meta's form, the same frame (%d or %04d: the request's number) for the echo loop, and
# the most that meta may take, in echo loops on one core.
CALLS = {
    "py": (
        "(py.operator.add 1 2)",
        ['{"op":"call","id":%d,"path":["operator","add"]}', "[[1,2],{}]", PYTHON, str(HERE / "echo.py")],
        1.7,
    ),
    "js": (
        "(js.Math.max 1 2)",
        ['{"op":"call","id":%d,"path":["Math","max"]}', "[[1,2],{}]", NODE, str(HERE / "echo.js")],
        1.7,
    ),
    "sh": (
        "(sh.echo 3)",
        ["2:op,4:call,2:id,4:%04d,4:path,4:echo,", "4:echo,1:3,", BASH, str(HERE / "echo.sh")],
        2,
    ),
}

# What the forms below need to be there.
ECHO = {"py": '(py "def echo(value): return value")', "js": '(js "globalThis.echo = (value) => value; 0")'}
TIMES = {
    "py": '(py """def times(f, count):\n    for _ in range(count): f(1, 2)""")',
    "js": '(js "globalThis.times = (f, count) => { for (let turn = 0; turn < count; turn++) f(1, 2); return 0 }; 0")',
}
THROUGH = """
(js "globalThis.through = (f, x) => f(x); 0")
(py "def inner(x): return x + 1\n\ndef times(f, g, count):\n    for turn in range(count): f(g, turn)")
"""
BATCHES = {"py": '(py "def f(x): return x + 1")', "js": '(js "globalThis.f = (x) => x + 1; 0")'}


def rows() -> list[Row]:
    return [*warm_rows(), *record_rows(), *peer_rows(), *callback_rows(), *batch_rows()]


def warm_rows() -> list[Row]:
    """Warm calls against a bare echo loop, both ends on one core and free to move."""
    rows = []
    for pinned in (True, False):
        where = "one core" if pinned else "unpinned"
        for language, (form, _, target) in CALLS.items():
            title = f"`{form}` warm, {where}"
            target = target if pinned else 2
            rows.append(Row(title, warm_call(form), against(language), echo(language), target, "µs", 7, pinned))
    return rows


def record_rows() -> list[Row]:
    """A record there and back: in meta it is a value that is printed anew for each call."""
    rows = []
    for language in ("py", "js"):
        setup = f"{ECHO[language]} (def record (json.parse {quoted(records.one())}))"
        form = f"({language}.echo record)"
        ours = repeated(setup, form, CALL_COUNT)
        title = f"`{form}` of 1 KB nested, warm, one core"
        rows.append(Row(title, ours, against(language), echo_record(language), 2, "µs", 7, True))
    return rows


def peer_rows() -> list[Row]:
    """The same calls through bridges from PyPI, as quick as each can be used."""

    def row(language: str, name: str, title: str, target: float, count: int) -> Row:
        form = CALLS[language][0]
        ours = repeated("", form, CALL_COUNT)
        return Row(f"`{form}` beside {title}", ours, title, peer(name, count), target, "µs", 5, True)

    return [
        row("py", "rpyc", "rpyc", 1 / 3, CALL_COUNT),
        row("js", "javascript", "JSPyBridge", 1 / 15, CALL_COUNT),
        row("py", "jupyter", "jupyter_client + ipykernel", 1 / 100, 100),
    ]


def callback_rows() -> list[Row]:
    """Functions of meta called in a loop of Python's and Node's, and a function of Python's called through Node."""
    rows = []
    for language in ("py", "js"):
        ours = counted(f"{TIMES[language]} (def add (a b) (+ a b))", f"({language}.times add %d)", CALL_COUNT)
        title = f"callback from {language} into meta"
        rows.append(Row(f"{title}, one core", ours, against(language), echo(language), 2, "µs", 7, True))
        theirs = peer("javascript-callback", CALL_COUNT)
        rows.append(Row(f"{title} beside JSPyBridge's", ours, "JSPyBridge, js → py", theirs, 1 / 5, "µs", 5, True))
    nested = counted(THROUGH, "(py.times js.through py.inner %d)", CALL_COUNT)
    mean = lambda: (echo("py")() + echo("js")()) / 2
    loops = "bare echo loop, mean of py and js"
    rows.append(Row("nested call py → js → py, one core", nested, loops, mean, 6, "µs", 7, True))
    return rows


def batch_rows() -> list[Row]:
    """Many calls of one function: meta sends them together, the contender as lines that do not wait for each other."""
    rows = []
    theirs = lambda: float(run([PYTHON, str(HERE / "pipeline.py"), NODE, str(BATCH)]))
    for language in ("py", "js"):
        form = f"(map-in {language}.f xs)"
        setup = f"{BATCHES[language]} (def xs (vec (range {BATCH})))"
        check = f"(if (!= (last {form}) {BATCH}) (throw \"the batch is wrong\"))"
        ours = repeated(f"{setup} {check}", form, 5)
        scaled = lambda ours=ours: ours() / 1000
        title = f"`{form}`, {BATCH:,} calls"
        rows.append(Row(title, scaled, "pipelined NDJSON, Python ↔ node", theirs, 0.5, rounds=5))
    return rows


# MARK: Samplers


def against(language: str) -> str:
    return f"bare {language} echo loop in C's hands"


def warm_call(form: str):
    """Microseconds for a call inside a loop: a run of many less a run of one, for each call between."""
    program = "((fn () (var i 0) (while (< i %d) " + form + " (set i (+ i 1))) i))"
    long, short = [META, "-e", program % (CALL_COUNT + 1)], [META, "-e", program % 1]
    return lambda: (milliseconds(long) - milliseconds(short)) * 1000 / CALL_COUNT


def repeated(setup: str, form: str, count: int):
    """Microseconds for a form of meta's inside a loop, after a tenth as many that are not counted."""
    loop = f"(def bench-run (count) (var i 0) (while (< i count) {form} (set i (+ i 1))) 0)"
    return counted(f"{setup} {loop}", "(bench-run %d)", count)


def counted(setup: str, form: str, count: int):
    """Microseconds for each turn of a form that makes %d of them, by meta's clock."""
    program = f"""{setup}
        {form % max(1, count // 10)}
        (def bench-start (time.monotonic))
        {form % count}
        (* 1e6 (/ (- (time.monotonic) bench-start) {count}))"""
    return lambda: float(run([META, "--raw", "-e", program]))


def echo(language: str):
    """Microseconds for a round trip of the language's call through its echo loop."""
    frame = CALLS[language][1]
    return lambda: float(run([compiled("driver.c"), str(CALL_COUNT // 10), str(CALL_COUNT), *frame]))


def echo_record(language: str):
    """Microseconds for a round trip of the record through the echo loop, which gives it back."""
    header, _, *program = CALLS[language][1]
    body = f"[[{records.one()}],{{}}]"
    command = [str(CALL_COUNT // 10), str(CALL_COUNT), header, body, *program, "value"]
    return lambda: float(run([compiled("driver.c"), *command]))


def peer(name: str, count: int):
    """Microseconds for a call of another bridge."""

    def sample() -> float:
        python = available(PEERS_PYTHON, "the Python with other bridges")
        try:
            return float(run([python, str(HERE / "peers.py"), name, str(count)]))
        except RuntimeError as error:
            if "ModuleNotFoundError" in str(error):
                raise Unavailable(f"{error} (scripts/setup bench)") from None
            raise

    return sample


def quoted(text: str) -> str:
    """A text as a string of meta's, which reads JSON's escapes."""
    return records.json_text(text)
