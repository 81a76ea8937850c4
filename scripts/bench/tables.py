"""Rows of tables: a million rows of an int, a float and a text, from Python to another Python and to Node, beside Arrow's IPC.

Each crossing is a new table. It ends when the first, the middle and the last cell of each column were read.
"""

import json
import pathlib
import statistics

from arrays import SECONDS, python_with, quoted
from contest import Row
from programs import META, run

HERE = pathlib.Path(__file__).resolve().parent
ROWS = 1_000_000
COUNT = 9

# In Node columns of numbers are typed arrays, others have get(row); texts in Python's lists are objects.
MAKE = """
import pyarrow
rows = %(rows)d
lists = [list(range(rows)), [row / 2 for row in range(rows)], ['text %%d' %% row for row in range(rows)]]
arrays = [pyarrow.array(values) for values in lists]
"""
GIVE = {
    "arrow": "def give(): return pyarrow.Table.from_arrays(arrays, ['int', 'float', 'text'])",
    "lists": "import meta\ndef give(): return meta.table(dict(zip(['int', 'float', 'text'], lists)))",
}
TAKE_PYTHON = """
def item(value):
    convert = getattr(value, 'as_py', None) or getattr(value, 'item', None)
    return convert() if convert else value

def take(table):
    columns = [table.column(name) for name in ('int', 'float', 'text')]
    return [item(column[row]) for column in columns for row in (0, %(middle)d, %(last)d)]
"""
TAKE_NODE = """
globalThis.take = (table) => {
    const found = [];
    for (const name of ['int', 'float', 'text']) {
        const column = table.column(name);
        for (const row of [0, %(middle)d, %(last)d]) found.push(typeof column.get === 'function' ? column.get(row) : Number(column[row]));
    }
    table.release();
    return found;
}; 0
"""
CROSS = """
(spawn 'py :as "py2")
(py "%(make)s") (py "%(give)s") (py2 "%(python)s") (js "%(node)s")
%(seconds)s
(def cross () (%(to)s.take (py.give)))
(def expected [0 %(middle)d %(last)d 0.0 (/ %(middle)d 2.0) (/ %(last)d 2.0) "text 0" "text %(middle)d" "text %(last)d"])
(if (!= (cross) expected) (throw (str "the cells are others: " (json.stringify (cross)))))
(map (fn (_) (cross)) (range 3))
(map (fn (_) (seconds cross)) (range %(count)d))
"""


def rows() -> list[Row]:
    rows = []
    sources = [
        ("arrow", "of Arrow's columns", "Arrow's IPC in shared memory, py → py"),
        ("lists", "of lists", "`pa.table(…)` and Arrow's IPC in shared memory, py → py"),
    ]
    for source, title, against in sources:
        for to, where in [("py2", "py → py"), ("js", "py → js")]:
            ours = lambda source=source, to=to: cross(source, to)
            theirs = lambda source=source: ipc(source)
            rows.append(Row(f"a table of {ROWS:,} rows {title}, {where}", ours, against, theirs, 1.5, rounds=3))
    return rows


def cross(source: str, to: str) -> float:
    """Milliseconds for a crossing."""
    places = {"rows": ROWS, "middle": ROWS // 2, "last": ROWS - 1}
    parts = {"make": MAKE % places, "give": GIVE[source], "python": TAKE_PYTHON % places, "node": TAKE_NODE % places}
    texts = {name: quoted(text) for name, text in parts.items()}
    program = CROSS % (texts | places | {"seconds": SECONDS, "to": to, "count": COUNT})
    told = run([META, "--raw", "-e", program], META_PYTHON=python_with("pyarrow"))
    return statistics.median(json.loads(told)) * 1000


def ipc(source: str) -> float:
    """Milliseconds for the same by Arrow's own means."""
    return float(run([python_with("pyarrow"), str(HERE / "ipc.py"), source, str(ROWS), str(COUNT)]))
