"""Tables between the sessions of one meta: what is shown, what crosses to whom, and kernels that lie about them."""

import json
import pathlib
import subprocess
import sys

import pytest
from session import PROGRAM, Session, environment

FORGER = pathlib.Path(__file__).resolve().parents[1] / "crossing" / "forger.py"
FRAME = """(py "
import pandas as pd, polars as pl, pyarrow as pa, numpy as np
df = pd.DataFrame({'n': range(3000), 'name': ['Zoë', None, 'x'] * 1000, 'x': np.arange(3000) / 4})
")"""


class Meta(Session):
    def __call__(self, form: str) -> str:
        """What the form prints, without the comment on where it came from."""
        return "\n".join(line.split("  ; ")[0] for line in self.evaluate(form))


@pytest.fixture
def meta():
    with Meta(deadline=120) as session:
        session(FRAME)
        session('(def df (py "df"))')
        yield session


def test_a_frame_is_shown_by_its_first_rows(meta):
    lines = meta("df").split("\n")
    assert lines[0].split() == ["n", "name", "x"] and lines[2].split() == ["1", "null", "0.25"], lines
    assert lines[-2:] == ["…", "3000 rows × 3 columns"] and len(lines) == 23
    assert meta("(get (buffer.stats) :segments)") == "0"


def test_what_meta_reads_of_a_frame(meta):
    assert meta("(count df)") == "3000"
    assert meta("(table.formats df)") == '{n: "int64" name: "utf8" x: "float64"}'
    assert meta("(get df 2999)") == '{n: 2999 name: "x" x: 749.75}'
    assert meta('(take 3 (get df "name"))') == '["Zoë" null "x"]'
    assert meta('(buffer.sum (get df "n"))') == "4498500"
    assert meta("(count (fetch df))") == "3000"
    assert meta("(df.sum :numeric_only true)").startswith("<py pandas.Series") or "4498500" in meta("(str (df.n.sum))")


def test_a_frame_in_javascript_and_another_python(meta):
    assert meta('(js "[t.rows, t.columns, t.row(1)]" :t df)') == '[3000 ["n" "name" "x"] {n: 1 name: null x: 0.25}]'
    meta("(spawn 'py :as \"py2\")")
    assert meta('(py2 "[type(t).__name__, t.shape, t[\'name\'][2999]]" :t df)') == '["DataFrame" (tuple 3000 3) "x"]'
    meta('(def other (py2 "t" :t df))')
    assert meta('(py "pd.testing.assert_frame_equal(df, o)" :o other)') == ""
    assert meta('(js "o.row(1)" :o other)') == '{n: 1 name: null x: 0.25}'


def test_a_frame_at_home_is_itself(meta):
    assert meta('(py "df is t" :t df)') == "true"
    assert meta('(js "t.rows" :t df)') == "3000"
    assert meta('(py "df is t" :t df)') == "true"


def test_a_frame_comes_back_from_javascript_equal(meta):
    meta('(js "globalThis.kept = null; function keep(t) { kept = t; return t.rows }")')
    assert meta("(js.keep df)") == "3000"
    assert meta('(py "pd.testing.assert_frame_equal(df, t); type(t).__name__" :t (js "kept"))') == '"DataFrame"'


def test_a_table_of_meta_in_python(meta):
    assert meta('(py "[type(t).__name__, list(t)]" :t (table {n [1 null] s ["a" null]}))') == (
        '["Table" [{n: 1 s: "a"} {n: null s: null}]]')
    assert meta('(py "t.to_pandas()[\'n\'].tolist()" :t (table {n [1 2 3]}))') == "[1 2 3]"


def test_the_error_names_the_column(meta):
    meta("""(py "mixed = pd.DataFrame({'ok': [1, 2], 'bad': [1, 'a']})")""")
    printed = meta('(table (py "mixed"))')
    assert "error[value/uncopyable]" in printed and 'column "bad"' in printed, printed
    assert meta('(js "typeof m" :m (py "mixed"))') in ('"object"', '"function"')
    assert "no table" in meta('(table (py "object()"))')


def test_times_and_categories(meta):
    meta("""(py "times = pd.DataFrame({'t': pd.to_datetime(['2024-02-29T12:00:00', None], utc=True), 'd': pd.to_timedelta(['1 day', None]), 'c': pd.Categorical(['a', None])})")""")
    assert meta('(get (py "times") 0)') == '{t: (datetime "2024-02-29T12:00:00+00:00") d: (duration "P1DT0S") c: "a"}'
    assert meta('(get (py "times") 1)') == "{t: null d: null c: null}"


def test_control_characters_are_escaped(meta):
    meta("""(py "evil = pd.DataFrame({'\\x1b[2J': ['\\x1b]0;x\\x07', 'a\\nb']})")""")
    assert "\x1b" not in meta('(py "evil")')


def test_the_owner_may_go(meta):
    assert meta('(js "t.rows" :t df)') == "3000"
    meta("(restart py)")
    assert "error[buffer/stale]" in meta("(get df 0)")
    assert "generation" in "\n".join(meta.evaluate("df"))
    assert meta("(+ 1 1)") == "2"


def test_the_shell_takes_no_table(meta):
    printed = meta("(sh.echo df)")
    assert "error[value/uncopyable]" in printed and "file" in printed, printed


def test_as_json(tmp_path):
    code = """(table {n [1 2] s ["a" null]})"""
    shown = subprocess.run([PROGRAM, "--json", "-e", code], capture_output=True, text=True, env=environment(tmp_path), timeout=60, check=True)
    assert json.loads(shown.stdout)["data"] == {"_type": "Table", "rows": 2, "kind": "meta.Table", "columns": {"n": "int64", "s": "utf8"}}


# --------------------------------------------------------------------------------------------------------- hostile


@pytest.fixture(scope="module")
def forge():
    with Meta(deadline=120) as meta:
        meta(f'(define-runtime "forger" :command ["{sys.executable}" "{FORGER}" "release"])')

        def forge(record, form="(forger {code})"):
            return meta(form.replace("{code}", json.dumps(json.dumps([{}, json.dumps(record)]))))

        yield forge
        assert meta("(+ 1 1)") == "2"


def test_an_honest_table(forge):
    from test_table_kernels import table, texts

    assert forge(table(texts()), "(table.records (forger {code}))") == '[{c0: "a"} {c0: "b"}]'


def test_records_that_are_no_table(forge):
    from test_table_kernels import WRONG

    for name, record in WRONG.items():
        printed = forge(record)
        assert "error[wire/unreadable]" in printed or "error[buffer/" in printed, (name, printed)


def test_damaged_columns(forge):
    from test_table_kernels import DAMAGED, table

    for name, column in DAMAGED.items():
        assert "error[wire/unreadable]" in forge(table(column), "(fetch (forger {code}))"), name
        assert "error" not in forge(table(column)), name


def test_numbers_at_the_edges(forge):
    from test_table_kernels import inline, table

    edges = b"".join(number.to_bytes(8, "little", signed=True) for number in (2**63 - 1, -(2**63)))
    for format in ("timestamp[s]", "timestamp[ns, UTC]", "duration[s]", "duration[ns]", "date64", "time64[ns]"):
        column = {"_type": "Column", "format": format, "rows": 2, "data": inline("int64", edges, 2)}
        assert "error" not in forge(table(column), "(fetch (forger {code}))"), format
    for rows in (2**53, 2**63 - 1, 2**62):
        assert "error[wire/unreadable]" in forge({"_type": "Table", "rows": rows, "columns": []})
    wide = {"_type": "Table", "rows": 2**52, "columns": [["n", {"_type": "Column", "format": "null", "rows": 2**52}]]}
    assert "error[eval/size]" in forge(wide, "(fetch (forger {code}))")
    assert "rows × 1 column" in forge(wide)
