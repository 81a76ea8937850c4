"""The rows: what is measured, against what, and the ratio that is wanted."""

import arrays
import calls
import crossing
import leaks
import memory
import slopes
import tables
from contest import Row
from programs import BASH, META, NODE, PYTHON, net_of_start, timing

FIB_META = "(do (def fib (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (fib %d))"
FIB_PYTHON = "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nfib(%d)"
LOOP_META = "((fn () (var i 0 total 0) (while (< i %d) (set total (+ total i)) (set i (+ i 1))) total))"
LOOP_PYTHON = "def f():\n i = total = 0\n while i < %d:\n  total = total + i\n  i = i + 1\n return total\nf()"


def all_rows(long: bool) -> list[Row]:
    """`long`: the rows of growth make the full million of crossings."""
    return [
        *start_rows(), *calls.rows(), *crossing.rows(), *arrays.rows(), *tables.rows(), *machine_rows(), *memory.rows(),
        *slopes.rows(long), *leaks.rows(long),
    ]


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
