"""Tables in the kernels: polars and pyarrow, meta.Table, JavaScript, and records that lie."""

import base64
import json
import os
import sys

import pytest
from driver import Kernel
from pair import Pair
from peer_py import Peer
from segments import LIMIT

PREPARE = "import meta, datetime\nimport numpy as np, pandas as pd, polars as pl, pyarrow as pa"

ARROW = {
    "numbers": "pa.table({'i': pa.array([1, None, 3], pa.int32()), 'f': [0.5, -0.0, None], 'u': pa.array([1, 2, 3], pa.uint8())})",
    "texts": "pa.table({'s': ['a', None, '\\U0001f600'], 'l': pa.array(['', 'ü', None], pa.large_string()), 'b': pa.array([b'', None, b'\\xff'])})",
    "flags": "pa.table({'b': [True, None, False], 'n': pa.nulls(3)})",
    "moments": "pa.table({'t': pa.array([1, None, -1], pa.timestamp('ns', 'Europe/Berlin')), 'd': pa.array([1, None, -1], pa.date32()), 'c': pa.array([1, None, 86399999999], pa.time64('us')), 'u': pa.array([1, None, -1], pa.duration('ms'))})",
    "dictionary": "pa.table({'d': pa.array(['a', 'b', None, 'a']).dictionary_encode()})",
    "chunks": "pa.table({'s': pa.chunked_array([['a', 'b'], ['c', None]]), 'i': pa.chunked_array([[1], [2, 3, 4]])})",
    "slices": "pa.table({'s': ['a', 'bb', None, 'dddd', 'e'] * 20, 'b': [True, None, False, True, False] * 20, 'i': range(100)}).slice(3, 9)",
    "no rows": "pa.table({'s': pa.array([], pa.string()), 'i': pa.array([], pa.int64())})",
    "long": "pa.table({'s': ['t%d' % i for i in range(5000)], 'i': range(5000), 'b': [i % 3 == 0 for i in range(5000)]})",
}

POLARS = {
    "numbers": "pl.DataFrame({'i': [1, None, 3], 'f': [0.5, float('nan'), None], 'b': [True, None, False]})",
    "texts": "pl.DataFrame({'s': ['a', None, '\\U0001f600', '', 'x' * 100]})",
    "moments": "pl.DataFrame({'d': [datetime.date(2024, 2, 29), None], 't': [datetime.datetime(2024, 1, 1), None], 'c': [datetime.time(1, 2, 3), None], 'u': [datetime.timedelta(1), None]}).with_columns(z=pl.col('t').dt.replace_time_zone('Europe/Berlin'))",
    "categories": "pl.DataFrame({'c': pl.Series(['a', 'b', None, 'a'], dtype=pl.Categorical), 'e': pl.Series(['hi', 'lo', None, 'hi'], dtype=pl.Enum(['lo', 'hi', 'never']))})",
    "long": "pl.DataFrame({'s': ['text number %d' % i for i in range(5000)], 'i': range(5000)})",
}


@pytest.fixture(scope="module")
def pair():
    pair = Pair()
    pair.run(PREPARE)
    yield pair
    pair.finish()


@pytest.mark.parametrize("name", ARROW)
def test_a_table_of_pyarrow_comes_home_equal(pair, name):
    pair.one.run("a = " + ARROW[name])
    assert pair.send("a", "b")["kind"] == "pyarrow.Table"
    assert pair.publish("b", pair.other)[1]["kind"] == "pyarrow.Table"
    pair.back("b", "c")
    pair.check("assert type(c) is pa.Table and c.equals(a), (c, a)\nc.validate(full=True)")


def test_a_record_batch_is_one_there(pair):
    pair.one.run("a = pa.RecordBatch.from_pydict({'i': [1, 2], 's': ['a', None]})")
    pair.send("a", "b")
    pair.back("b", "c")
    pair.check("assert type(c) is pa.RecordBatch and c.equals(a), c")


@pytest.mark.parametrize("name", POLARS)
def test_a_frame_of_polars_comes_home_equal(pair, name):
    pair.one.run("a = " + POLARS[name] + "\nfrom polars.testing import assert_frame_equal")
    assert pair.send("a", "b")["kind"] == "polars.DataFrame"
    pair.back("b", "c")
    pair.check("assert type(c) is pl.DataFrame\nassert_frame_equal(a, c)")


def test_all_columns_share_one_segment_at_multiples_of_64(pair):
    refs, record = pair.publish("pd.DataFrame({'i': np.arange(1001), 'f': np.arange(1001) / 2, 's': [str(i) for i in range(1001)]})")
    parts = [record["columns"][0][1], record["columns"][1][1], record["columns"][2][1]["offsets"], record["columns"][2][1]["data"]]
    assert len(refs) == 1 and len({part["segment"] for part in parts}) == 1
    assert sorted(part.get("offset", 0) % 64 for part in parts) == [0, 0, 0, 0]


def test_what_nobody_wrote_travels_on_as_its_record(pair):
    pair.one.run("a = pd.DataFrame({'i': np.arange(1000), 's': ['t%d' % i for i in range(1000)]})")
    record = pair.send("a", "b")
    refs, onward = pair.publish("b", pair.other)
    assert onward["columns"][0][1]["segment"] == record["columns"][0][1]["segment"] and [one[0] for one in refs] == ["one"]
    _, changed = pair.publish("c = b.copy(); c.loc[0, 'i'] = -1; c", pair.other)
    assert changed["columns"][0][1]["owner"] == "other"


@pytest.mark.parametrize("code, column", [
    ("pd.DataFrame({'x': [1, 'a', None]})", '"x"'), ("pd.DataFrame({'x': [object()]})", '"x"'), ("pd.DataFrame({'x': [{}], 'y': [1]})", '"x"'),
    ("pd.DataFrame({0: [1]})", "texts"), ("pd.DataFrame([[1, 2]], columns=['a', 'a'])", '"a"'), ("pa.table({'l': [[1], [2]]})", '"l"'),
    ("pd.DataFrame({'p': pd.period_range('2024', periods=2)})", '"p"'), ("pl.DataFrame({'l': [[1], [2]]})", '"l"'),
])
def test_a_frame_with_a_column_that_has_no_form_is_a_handle_and_the_error_names_it(pair, code, column):
    header, record = pair.one.evaluate("h = %s; h" % code, None, b"", [])
    assert record["_type"] == "Ref", record
    header, _ = pair.one.request("publish", ref=record["ref"])
    assert header["op"] == "err" and header["code"] == "value/uncopyable" and column in header["message"], header


def test_a_live_table_says_what_it_is_like_and_gives_its_first_rows(pair):
    header, record = pair.one.evaluate("h = pd.DataFrame({'i': range(3000), 's': ['é%d' % i for i in range(3000)]}); h", None, b"", [])
    assert header["live"] is True and record["columns"] == [["i", "int64"], ["s", "utf8"]] and record["rows"] == 3000
    header, head = pair.one.request("publish", ref=record["ref"], count=2)
    head = json.loads(head) if isinstance(head, bytes) else head
    assert head["rows"] == 2 and "refs" not in header and base64.b64decode(head["columns"][1][1]["data"]["base64"]).decode() == "é0é1"


# ------------------------------------------------------------------------------------------------------- meta.Table


@pytest.fixture(scope="module", params=["with numpy", "bare"])
def plain(request):
    """Kernels for which only meta.Table stands: of an interpreter without any package, or that hides what would take over."""
    pair = Pair(("/usr/bin/python3", "-S") if request.param == "bare" else (sys.executable,))
    pair.run("import meta, datetime, sys\nfor name in ('pandas', 'polars', 'pyarrow'): sys.modules[name] = None")
    yield pair
    pair.finish()


def test_meta_table_by_itself(plain):
    plain.one.run(
        "a = meta.table({'i': [1, None, 3], 'f': [0.5, 2, -1.0], 's': ['a', None, '\\U0001f600'], 'b': [True, None, False], 'y': [b'', b'\\xff', None],"
        " 'd': [datetime.date(2024, 2, 29)] * 3, 't': [datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc), None, None], 'n': [None] * 3, 'w': [2**63, 0, 1]})\nrows = list(a)"
    )
    plain.send("a", "b")
    plain.back("b", "c")
    plain.check("assert type(c) is meta.Table and list(c) == rows and c[0] == rows[0] and c[-1] == rows[2] and len(c) == 3, list(c)")
    plain.check("assert c.columns == ['i', 'f', 's', 'b', 'y', 'd', 't', 'n', 'w'] and c.column('s').tolist() == ['a', None, '\\U0001f600']")
    plain.check("assert '3 rows' in repr(c) and c.formats['t'] == 'timestamp[us, UTC]'")


def test_long_columns_of_meta_table(plain):
    plain.one.run("a = meta.table({'i': list(range(9000)), 's': ['ü%d' % i for i in range(9000)], 'x': ['t%d' % i for i in range(9000)]})")
    plain.send("a", "b")
    plain.back("b", "c")
    plain.check("assert c[8999] == {'i': 8999, 's': 'ü8999', 'x': 't8999'} and list(c) == list(a)")


def test_meta_table_of_records(plain):
    plain.one.run("a = meta.table([{'n': 1}, {'n': 2, 's': 'x'}])")
    plain.send("a", "b")
    plain.back("b", "c")
    plain.check("assert list(c) == [{'n': 1, 's': None}, {'n': 2, 's': 'x'}]")


def test_what_meta_table_refuses(plain):
    for code, part in [
        ("meta.table({'x': [1, 'a']})", "x"), ("meta.table({'x': [1], 'y': []})", "one length"), ("meta.table({'x': ['\\ud800']})", "surrogate"),
        ("meta.table({1: [1]})", "texts"), ("meta.table({'x': [2**64]})", "64 bits"), ("meta.table(3)", "made of"), ("meta.table({'x': [0.5, 2**60]})", "2^53"),
    ]:
        header, _ = plain.one.evaluate(code, None, b"", [])
        assert header["op"] == "err" and part in header["message"], header


# ----------------------------------------------------------------------------------------------------- JavaScript


@pytest.fixture
def both():
    family = "meta-%d-%d-%s-" % (os.getuid(), os.getpid(), os.urandom(4).hex())
    py = Peer("py", segments=family + "1-", limit=LIMIT)
    js = Peer("js", segments=family + "2-", limit=LIMIT)
    py.run(PREPARE)
    yield py, js
    py.close()
    js.close()
    assert not [name for name in os.listdir("/dev/shm") if name.startswith(family)]


def carry(code, source, name, target):
    header, record = source.evaluate(code, None, b"", [], share="publish")
    assert header["op"] == "ret", header
    Pair.bind(target, name, header.get("refs", []), record)
    return record


def value(kernel, code):
    header, result = kernel.evaluate(code, None, b"", [])
    assert header["op"] == "ret", header
    return json.loads(result) if isinstance(result, bytes) else result


@pytest.mark.parametrize("rows", [3, 3000])
def test_a_frame_in_javascript_and_home(both, rows):
    py, js = both
    py.run("d = pd.DataFrame({'i': range(%d), 'f': 0.5, 's': ['a', None, '\\U0001f600'] * %d, 'c': pd.Categorical(['x', 'y', None] * %d), 'b': True, 'n': pd.array([1, None, 3] * %d, dtype='Int64')})" % (rows, rows // 3, rows // 3, rows // 3))
    carry("d", py, "t", js)
    assert value(js, "[t.rows, t.columns, t.kind]") == [rows, ["i", "f", "s", "c", "b", "n"], "pandas.DataFrame"]
    assert value(js, "t.row(1)") == {"i": 1, "f": 0.5, "s": None, "c": "y", "b": True, "n": None}
    assert value(js, "[t.column('i') instanceof BigInt64Array, t.column('f') instanceof Float64Array, t.column('s').get(2), [...t.column('s')].length, [...t].length]") == [True, True, "\U0001f600", rows, rows]
    assert value(js, "JSON.parse(JSON.stringify(t)).length") == rows
    assert value(js, "require('util').inspect(t).split('\\n').at(-1)") == "%d rows × 6 columns" % rows
    record = carry("t", js, "e", py)
    assert record["kind"] == "pandas.DataFrame"
    header, _ = py.evaluate("pd.testing.assert_frame_equal(d, e)", None, b"", [])
    assert header["op"] == "ret", header


def test_a_table_of_javascript(both):
    py, js = both
    carry("meta.table({n: [1, -2, 9007199254740991], f: [0.5, null, 1], s: ['a', 'ü', null], b: [true, null, false], d: [new Date(0), null, new Date(1e12)], g: [1n, 2n ** 63n, 0n], z: [null, null, undefined], x: new Float32Array(3)})", js, "t", py)
    assert value(py, "t.formats") == {"n": "int64", "f": "float64", "s": "utf8", "b": "bool", "d": "timestamp[ms, UTC]", "g": "uint64", "z": "null", "x": "float32"}
    assert value(py, "[t.column('n').tolist(), t.column('f').tolist(), t.column('s').tolist(), t.column('b').tolist(), t.column('g').tolist()]") == [
        [1, -2, 9007199254740991], [0.5, None, 1.0], ["a", "ü", None], [True, None, False], [1, 2**63, 0]]
    carry("meta.table([{a: 1}, {a: 2, b: 'x'}])", js, "r", py)
    assert value(py, "list(r)") == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]
    for code in ("meta.table({x: [1, 'a']})", "meta.table({x: [{}]})", "meta.table({x: ['\\ud800']})", "meta.table({x: [1], y: [1, 2]})", "meta.table(3)", "meta.table({x: [2n ** 64n]})"):
        header, _ = js.evaluate(code, None, b"", [])
        assert header["op"] == "err", code


# --------------------------------------------------------------------------------------------------------- hostile


def inline(format, data, count):
    return {"_type": "Buffer", "buffer_id": "", "format": format, "shape": [count], "language": "js", "type": "", "base64": base64.b64encode(data).decode()}


def ints(*numbers):
    return inline("int32", b"".join(number.to_bytes(4, "little", signed=True) for number in numbers), len(numbers))


def texts(data=b"ab", offsets=(0, 1, 2), rows=2, **more):
    return {"_type": "Column", "format": "utf8", "rows": rows, "offsets": ints(*offsets), "data": inline("uint8", data, len(data)), **more}


def table(*columns, rows=2, **more):
    return {"_type": "Table", "rows": rows, "kind": "meta.Table", "columns": [["c%d" % place, column] for place, column in enumerate(columns)], **more}


WRONG = {
    "rows of another column": table(ints(1, 2, 3)),
    "rows of another table": table(texts(rows=3, offsets=(0, 1, 2, 2))),
    "no rows": {"_type": "Table", "kind": "", "columns": []},
    "negative rows": table(rows=-1),
    "no columns": {"_type": "Table", "rows": 1},
    "columns that are none": {"_type": "Table", "rows": 1, "columns": [1]},
    "a column that is a text": table("x"),
    "a name that is none": {"_type": "Table", "rows": 0, "columns": [[1, ints()]]},
    "one name twice": {"_type": "Table", "rows": 1, "columns": [["a", ints(1)], ["a", ints(2)]]},
    "too few offsets": table(texts(offsets=(0, 1))),
    "offsets of another format": table({**texts(), "offsets": inline("float64", bytes(24), 3)}),
    "no data": table({"_type": "Column", "format": "utf8", "rows": 2, "offsets": ints(0, 1, 2)}),
    "an unknown format": table({"_type": "Column", "format": "list<int>", "rows": 2, "data": ints(1, 2)}),
    "too little validity": table({"_type": "Column", "format": "int32", "rows": 9, "validity": inline("uint8", b"\0", 1), "data": ints(*range(9))}, rows=9),
    "a dictionary that is none": table({"_type": "Column", "format": "dictionary", "rows": 2, "indices": ints(0, 1), "dictionary": 3}),
    "a dictionary of dictionaries": table({"_type": "Column", "format": "dictionary", "rows": 2, "indices": ints(0, 1), "dictionary": {"_type": "Column", "format": "dictionary", "rows": 1, "indices": ints(0), "dictionary": {"_type": "Column", "format": "dictionary", "rows": 1, "indices": ints(0), "dictionary": ints(1)}}}),
    "two axes": table({**ints(1, 2), "shape": [1, 2]}),
}

DAMAGED = {
    "offsets beyond the data": texts(offsets=(0, 1, 1000000)),
    "offsets that fall": texts(offsets=(0, 2, 1)),
    "negative offsets": texts(offsets=(-5, 1, 2)),
    "no UTF-8": texts(data=b"a\xff"),
    "places outside a dictionary": {"_type": "Column", "format": "dictionary", "rows": 2, "indices": ints(0, 7), "dictionary": texts()},
}


@pytest.mark.parametrize("language", ["py", "js"])
@pytest.mark.parametrize("name", WRONG)
def test_a_record_that_is_no_table_is_refused(language, name):
    kernel = Peer(language)
    header, _ = kernel.request("set", WRONG[name], path=["x"], refs=[])
    assert header["op"] == "err" and header["code"] == "wire/unreadable", header
    assert json.loads(kernel.run("1 + 1")) == 2
    kernel.close()


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_column_is_an_error_where_it_is_read(name):
    for kind, code in (("meta.Table", "list(x)"), ("pandas.DataFrame", None), ("polars.DataFrame", None), ("pyarrow.Table", None)):
        kernel = Peer("py")
        header, _ = kernel.request("set", {**table(DAMAGED[name]), "kind": kind}, path=["x"], refs=[])
        if code is not None:
            assert header["op"] == "ret", header
            header, _ = kernel.evaluate(code, None, b"", [])
        assert header["op"] == "err" and header["code"] == "wire/unreadable", (kind, header)
        assert json.loads(kernel.run("1 + 1")) == 2
        kernel.close()
    kernel = Peer("js")
    kernel.request("set", table(DAMAGED[name]), path=["x"], refs=[])
    header, _ = kernel.evaluate("[...x]", None, b"", [])
    assert header["op"] == "err" and header["code"] == "wire/unreadable", header
    kernel.close()


def test_a_segment_that_the_frame_does_not_list(both):
    py, js = both
    record = table({**ints(1, 2), "owner": "js", "generation": 1, "ref": 9, "segment": "meta-0-1-x-2-9-0"})
    record["columns"][0][1].pop("base64")
    for kernel in both:
        header, _ = kernel.request("set", record, path=["x"], refs=[])
        assert header["op"] == "err" and header["code"] == "wire/unreadable", header


def test_tagged_values_forge_no_table():
    kernel = Kernel("py")
    assert json.loads(kernel.run("import meta; meta.Tagged('Table', {'rows': 1, 'columns': []})"))["_type"] == "Ref"
    kernel.close()
