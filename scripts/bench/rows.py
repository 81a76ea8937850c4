"""The rows: what is measured, against what, and the ratio that is wanted."""

import pathlib

import memory
from contest import Row
from programs import BASH, META, NODE, PYTHON, compiled, milliseconds, net_of_start, run, timing

HERE = pathlib.Path(__file__).resolve().parent

FIB_META = "(do (def fib (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (fib %d))"
FIB_PYTHON = "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nfib(%d)"
LOOP_META = "((fn () (var i 0 total 0) (while (< i %d) (set total (+ total i)) (set i (+ i 1))) total))"
LOOP_PYTHON = "def f():\n i = total = 0\n while i < %d:\n  total = total + i\n  i = i + 1\n return total\nf()"

# A warm call of each language: meta's form, and the same frame (%d or %04d: the request's number) for the echo loop.
CALLS = {
    "py": (
        "(py.operator.add 1 2)",
        ['{"op":"call","id":%d,"path":["operator","add"]}', "[[1,2],{}]", PYTHON, str(HERE / "echo.py")],
    ),
    "js": (
        "(js.Math.max 1 2)",
        ['{"op":"call","id":%d,"path":["Math","max"]}', "[[1,2],{}]", NODE, str(HERE / "echo.js")],
    ),
    "sh": (
        "(sh.echo 3)",
        ["2:op,4:call,2:id,4:%04d,4:path,4:echo,", "4:echo,1:3,", BASH, str(HERE / "echo.sh")],
    ),
}
CALL_COUNT = 2000


def all_rows() -> list[Row]:
    return [*start_rows(), *call_rows(), *machine_rows(), *memory.rows()]


def start_rows() -> list[Row]:
    """Whole runs of one-liners, start and end included."""
    python = timing(PYTHON, "-c", "print(1+1)")
    node = timing(NODE, "-p", "1+1")
    arithmetic, both = "(+ 1 2)", '[(py "1+1") (js "1+1")]'
    in_python, in_node = '(py "1+1")', '(js "1+1")'
    return [
        one_liner(arithmetic, f"`{PYTHON} -c 'print(1+2)'`", timing(PYTHON, "-c", "print(1+2)"), 0.45, 41),
        one_liner(arithmetic, "`bash -c 'echo 3'`", timing(BASH, "-c", "echo 3"), 3, 41),
        one_liner(in_python, f"`{PYTHON} -c 'print(1+1)'`", python, 1.7, 31),
        one_liner(in_node, "`node -p 1+1`", node, 1.25, 21),
        one_liner(both, f"`meta -e '{in_node}'`, the slower", timing(META, "-e", in_node), 1.2, 21),
    ]


def one_liner(form: str, against: str, theirs, target: float, rounds: int) -> Row:
    return Row(f"`meta -e '{form}'`", timing(META, "-e", form), against, theirs, target, rounds=rounds)


def call_rows() -> list[Row]:
    """Warm calls against a bare echo loop, both ends on one core and free to move."""
    rows = []
    for pinned in (True, False):
        where = "one core" if pinned else "unpinned"
        for language, (form, frame) in CALLS.items():
            title = f"`{form}` warm, {where}"
            against = f"bare {language} echo loop in C's hands"
            rows.append(Row(title, warm_call(form), against, echo(frame), 2, "µs", rounds=7, pinned=pinned))
    return rows


def warm_call(form: str):
    """Microseconds for a call inside a loop: a run of many less a run of one, for each call between."""
    program = "((fn () (var i 0) (while (< i %d) " + form + " (set i (+ i 1))) i))"
    long, short = [META, "-e", program % (CALL_COUNT + 1)], [META, "-e", program % 1]
    return lambda: (milliseconds(long) - milliseconds(short)) * 1000 / CALL_COUNT


def echo(frame: list[str]):
    """Microseconds for a round trip of the frame through the echo loop."""
    return lambda: float(run([compiled("driver.c"), str(CALL_COUNT // 10), str(CALL_COUNT), *frame]))


def machine_rows() -> list[Row]:
    """The language itself, without the start."""
    against = f"`{PYTHON}`"

    def row(title: str, ours: str, theirs: str, size: int) -> Row:
        return Row(
            f"{title}, without the start",
            net_of_start([META, "-e", ours % size], [META, "-e", ours % 1]),
            against,
            net_of_start([PYTHON, "-c", theirs % size], [PYTHON, "-c", theirs % 1]),
            1,
            rounds=7,
        )

    return [
        row("fib(30)", FIB_META, FIB_PYTHON, 30),
        row("a loop of 10 million steps", LOOP_META, LOOP_PYTHON, 10_000_000),
    ]
