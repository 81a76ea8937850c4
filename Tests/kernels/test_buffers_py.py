"""Arrays, long bytes and long texts of the Python kernel in shared memory: how they leave, arrive, and come home."""

import json
import os
import random
import stat
import sys

import numpy
import pytest
from driver import CACHE, Kernel
from segments import FOLDER, Shop, contents, files, key_of

FORMATS = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64", "complex64", "complex128"]


@pytest.fixture
def py():
    shop = Shop()
    shop.run("import meta, numpy as np")
    yield shop
    shop.finish()


@pytest.fixture
def bare():
    """A kernel that cannot import NumPy."""
    shop = Shop([sys.executable, "-S"])
    assert json.loads(shop.run("import meta, importlib.util; importlib.util.find_spec('numpy') is None")) is True
    yield shop
    shop.finish()


def same(one, other):
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


# ---------------------------------------------------------------------------------------------------------- leave


def test_hello_says_how_buffers_cross(py):
    assert py.hello["buffers"] == "map" and "publish" in py.hello["operations"]


def test_without_segments_arrays_are_handles():
    kernel = Kernel("py")
    assert json.loads(kernel.run("bytearray(5000)"))["_type"] == "Ref"
    assert json.loads(kernel.run("bytes(70000)"))["_type"] == "Bytes"
    kernel.close()


def test_an_array_for_meta_is_live(py):
    header, record = py.value("a = np.arange(3000.0).reshape(3, 1000); a")
    assert header["live"] is True and "shared" not in header and header["type"] == "numpy.ndarray" and header["refs"] == [key_of(record)]
    assert record["_type"] == "Buffer" and record["format"] == "float64" and record["shape"] == [3, 1000]
    assert record["repr"].startswith("array([[0") and record["callable"] is False and record["type"] == "numpy.ndarray"
    assert record["buffer_id"] == "py-1-%d" % record["ref"] and "segment" not in record and py.own() == []


def test_meta_asks_for_the_contents_of_a_live_array(py):
    _, live = py.value("a = np.arange(3000.0); a")
    header, body = py.request("publish", ref=live["ref"])
    record = json.loads(body)
    assert header["shared"] is True and same(contents(record), numpy.arange(3000.0))
    assert stat.S_IMODE(os.stat(FOLDER + record["segment"]).st_mode) == 0o400
    assert record["segment"].startswith(py.family + "1-%d-" % record["ref"])


def test_only_arrays_are_published(py):
    number = py.hold("[1, 2]")
    assert py.request("publish", ref=number)[0]["code"] == "buffer/format"


def test_a_live_array_comes_home_as_itself(py):
    _, live = py.value("a = np.arange(3000.0); a")
    py.bind("b", live)
    assert py.run("a is b") == b"true"


def test_for_one_without_segments_arrays_are_refs(py):
    header, value = py.value("[np.zeros(5000), bytes(70000), 'x' * 70000]", share="none")
    assert [value[0]["_type"], value[1]["_type"]] == ["Ref", "Bytes"] and "base64" in value[1] and len(value[2]) == 70000
    assert "live" not in header and "shared" not in header and py.own() == []


@pytest.mark.parametrize("code", [
    "np.array([1, 'a', None], dtype=object)", "np.zeros(900, dtype='i4,f8')", "np.zeros(900, dtype='M8[s]')", "np.array(['ab'] * 900)",
    "np.ma.zeros(900)", "np.asmatrix(np.zeros((90, 90)))", "np.rec.array(np.zeros(900))", "np.zeros(900, np.longdouble)", "np.float64(3)",
    "np.int8(3)", "__import__('array').array('u', 'abc' * 900)", "memoryview(b'abc').cast('c')", "type('B', (bytes,), {})(9000)",
    "type('B', (bytearray,), {})(9000)", "__import__('mmap').mmap(-1, 9000)", "type('A', (np.ndarray,), {})((900,))", "np.float64", "np",
    "np.zeros((1,) * 33)",
])
def test_what_is_not_plain_numbers_is_a_handle(py, code):
    for share in ("publish", None):
        header, record = py.value(code, **({"share": share} if share else {}))
        assert record["_type"] == "Ref" and "live" not in header


def test_short_arrays_cross_inline(py):
    record = py.publish("np.arange(3, dtype='i2')")
    assert record == {"_type": "Buffer", "buffer_id": "", "format": "int16", "shape": [3], "language": "py", "type": "numpy.ndarray", "base64": "AAABAAIA"}
    assert "segment" in py.publish("np.zeros(256)") and "base64" in py.publish("np.zeros(255)")
    assert contents(py.publish("np.zeros((3, 0, 2))")).shape == (3, 0, 2)
    assert contents(py.publish("np.array(5.5)")) == 5.5


@pytest.mark.parametrize("code,format,shape", [
    ("bytearray(b'ab' * 2000)", "uint8", [4000]), ("memoryview(bytearray(b'ab' * 2000))", "uint8", [4000]),
    ("memoryview(bytearray(range(240)) * 20)[::-3]", "uint8", [1600]), ("__import__('array').array('l', range(900))", "int64", [900]),
    ("__import__('array').array('f', [1.5] * 900)", "float32", [900]), ("(__import__('ctypes').c_int16 * 2000)(*range(2000))", "int16", [2000]),
    ("memoryview(bytearray(range(240)) * 20).cast('h', [40, 60])", "int16", [40, 60]),
])
def test_other_memory_crosses_too(py, code, format, shape):
    record = py.publish("a = %s; a" % code)
    assert [record["format"], record["shape"]] == [format, shape]
    _, there = py.value("np.asarray(a).tobytes().hex()")
    assert contents(record).tobytes().hex() == there


def arrays(random):
    """An array's source, with all that an array may be: format, rank, order, direction, place, and how far apart."""
    format = random.choice(FORMATS)
    shape = [random.choice([0, 1, 2, 3, 7, 30]) for _ in range(random.choice([0, 1, 1, 2, 3, 4, 5]))]
    code = "make(%r, %r)" % (format, [n + 2 for n in shape])
    code += random.choice(["", ".T", "[::-1]" if shape else "", ".astype('%s')" % numpy.dtype(format).newbyteorder(">").str])
    if random.random() < 0.7 and shape:
        steps = [random.choice(["1:-1", ":-2", "::-1", "::2", "1::2"]) for _ in shape]
        code += "[%s]" % ", ".join(steps)
    return random.choice(["%s", "np.ascontiguousarray(%s)", "np.asfortranarray(%s)", "meta.array(%s)", "meta.array(%s)[...]"]) % code


MAKE = """
def make(format, shape):
    size = int(np.prod(shape)) * np.dtype(format).itemsize
    data = np.frombuffer(np.random.default_rng(size).bytes(size), np.uint8).copy()
    return (data & 1 if format == 'bool' else data).view(format).reshape(shape)
"""


def test_arrays_of_every_kind_cross_both_ways(py):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    generator = random.Random(seed)
    py.run(MAKE)
    for _ in range(300):
        code = arrays(generator)
        record = py.publish("a = %s; a" % code)
        _, there = py.value("[str(a.dtype), list(a.shape), a.astype(a.dtype.newbyteorder('<')).tobytes().hex()]", share="none")
        crossed = contents(record)
        wanted = numpy.dtype(there[0]).newbyteorder("<").name
        assert [record["format"], record["shape"], crossed.tobytes().hex()] == [wanted, *there[1:]], code
        py.bind("b", record)
        assert py.value("[str(b.dtype), list(b.shape), b.tobytes().hex(), b.flags.writeable]", share="none")[1] == [wanted, *there[1:], True], code
        if "segment" in record:
            py.run("del b")
            py.release([*key_of(record), 1])
    assert py.held() == 0


def test_long_bytes_and_texts(py):
    for code, tag, wanted in (("bytes(range(256)) * 256", "Bytes", bytes(range(256)) * 256), ("'é' * 40000", "Text", "é" * 40000),
                              ("{'a': ['x' * 70000, {1}]}['a'][0]", "Text", "x" * 70000)):
        header, record = py.value("v = %s; v" % code)
        assert record["_type"] == tag and header["shared"] is True and header["refs"] == [key_of(record)]
        data = open(FOLDER + record["segment"], "rb").read()[: record["length"]]
        assert (data if tag == "Bytes" else data.decode()) == wanted
        py.bind("back", record)
        assert py.run("back == v and type(back) is type(v)") == b"true"
    _, values = py.value("['x' * 65535, 'x' * 65536, ('y' * 70000,), {'k': 'é' * 33000}, bytes(65535)]")
    kinds = [value if type(value) is str else value["_type"] if "_type" in value else value["k"]["_type"] for value in values]
    assert kinds == ["x" * 65535, "Text", "Tuple", "Text", "Bytes"] and "base64" in values[4] and values[2]["items"][0]["_type"] == "Text"
    assert py.fail("'x' * 70000 + '\\ud800'")["code"] == "value/surrogate"


def test_arguments_of_upcalls_are_published(py):
    seen = []

    def meta(header, body):
        seen.append((header, body))
        return {}, None

    py.evaluate("meta.call('js.f', np.ones(1000), 'é' * 40000, k=bytes(70000))", meta)
    header, ((array, text), keywords) = seen[0]
    assert header["shared"] is True and "live" not in header and len(header["refs"]) == 3
    assert same(contents(array), numpy.ones(1000)) and text["_type"] == "Text" and keywords["k"]["_type"] == "Bytes"


def test_a_bulk_copy_is_nested_lists(py):
    assert py.value("np.arange(4).reshape(2, 2)", copy=True)[1] == [[0, 1], [2, 3]]
    assert py.value("bytearray(b'ab')", copy=True)[1]["_type"] == "Bytes"
    assert py.value("np.zeros(5000)", hold=True)[1]["_type"] == "Ref"


# --------------------------------------------------------------------------------------------------------- values


def test_a_write_after_the_crossing_is_not_seen(py):
    for make in ("np.zeros(100000)", "meta.empty(100000)"):
        record = py.publish("a = %s; a[:] = 1; a" % make)
        view = contents(record)
        py.run("a[:] = 2")
        assert view.sum() == 100000
        again = py.publish("a")
        assert again["segment"] != record["segment"] and contents(again).sum() == 200000 and view.sum() == 100000


def test_an_array_made_in_a_segment_crosses_without_a_copy(py):
    first = py.publish("a = meta.empty((100, 1000), name='Sheet'); a[:] = 7; a")
    assert first["name"] == "Sheet" and py.publish("a")["segment"] == first["segment"]
    assert py.run("a.sum()") and len(py.own()) == 1
    part = py.publish("a[10:20, ::2]")
    assert part["segment"] == first["segment"] and part["offset"] == 80000 and part["strides"] == [8000, 16] and "name" not in part
    py.run("a[0, 0] = 1")
    assert py.publish("a[10:20, ::2]")["segment"] == first["segment"]  # that page was not written
    second = py.publish("a")
    assert second["segment"] != first["segment"] and py.publish("a")["segment"] == second["segment"]
    py.run("a[0, 1] = 2")
    assert contents(second)[0, 1] == 7 and contents(first)[0, 0] == 7 and contents(py.publish("a"))[0, 1] == 2


def test_what_is_published_in_place_is_copied_while_other_threads_run(py):
    py.run("import threading; stop = threading.Event(); t = threading.Thread(target=stop.wait); t.start(); a = meta.empty(1000)")
    first = py.publish("a")
    second = py.publish("a[:] = 1; a")
    py.run("a[0] = 2")
    assert contents(first).sum() == 0 and contents(second).sum() == 1000 and contents(py.publish("a"))[0] == 2
    py.run("stop.set(); t.join()")


def test_a_mutable_array_is_one_memory(py):
    record = py.publish("a = meta.empty(10, mutable=True); a")
    assert record["mutable"] is True and stat.S_IMODE(os.stat(FOLDER + record["segment"]).st_mode) == 0o600
    with open(FOLDER + record["segment"], "r+b") as file:
        there = numpy.memmap(file, "f8", shape=(10,))
    py.run("a[1] = 5")
    there[2] = 6
    assert there[1] == 5 and py.run("float(a[2])") == b"6.0"
    py.bind("b", record)
    assert py.run("a is b") == b"true" and py.publish("a")["segment"] == record["segment"]
    foreign = py.make(numpy.zeros(3), mutable=True)
    py.bind("c", foreign)
    py.run("c[0] = 4")
    assert contents(foreign)[0] == 4
    assert {**py.publish("c"), "type": 0} == {**foreign, "type": 0}


def test_what_a_mutable_array_holds_cannot_be_changed_where_it_is_published(py):
    record = {**py.make(numpy.zeros(300)), "mutable": True}
    assert py.refuse(record) == "buffer/forged"


# ------------------------------------------------------------------------------------------------- home and beyond


def test_an_array_comes_home_as_itself_while_it_is_unwritten(py):
    record = py.publish("a = meta.empty(1000); a")
    py.bind("b", record)
    assert py.run("a is b") == b"true"
    py.bind("part", {**record, "shape": [10], "offset": 80})
    assert py.run("part.base is a.base and part.size == 10") == b"true"
    py.run("a[:] = 1")
    py.bind("b", record)
    assert py.run("[float(a.sum()), float(b.sum())]") == b"[1000.0,0.0]"
    assert py.publish("b")["segment"] == record["segment"]
    py.run("b[0] = 1")
    assert py.publish("b")["segment"] != record["segment"]


def test_a_copied_array_comes_home_as_its_contents_then(py):
    record = py.publish("a = np.ones(1000); a")
    py.run("a[:] = 2")
    py.bind("b", record)
    assert py.run("[float(a.sum()), float(b.sum())]") == b"[2000.0,1000.0]"


def test_a_view_travels_on_as_it_came_until_it_is_written(py):
    record = py.make(numpy.arange(6000.0).reshape(60, 100), name="Sheet", strides=[800, 8], offset=0)
    del record["offset"], record["strides"]
    py.bind("x", record)
    assert py.run("float(x.sum())") == b"17997000.0"
    header, back = py.value("x")
    assert back == {**record, "type": back["type"]} and header["shared"] is True and header["refs"] == [key_of(record)] and "live" not in header
    _, part = py.value("[x[5:, ::-2], x.T, memoryview(x), x.reshape(6000)[100:], x.view('u8')]")
    assert [one["segment"] for one in part] == [record["segment"]] * 5
    assert [one["format"] for one in part] == ["float64"] * 4 + ["uint64"]
    assert numpy.array_equal(contents(part[0]), numpy.arange(6000.0).reshape(60, 100)[5:, ::-2])
    assert numpy.array_equal(contents(part[1]), numpy.arange(6000.0).reshape(60, 100).T)
    py.run("x[0, 0] = 9")
    assert py.value("x")[1]["owner"] == "py" and contents(record)[0, 0] == 0
    written = py.publish("x")
    assert written["segment"] != record["segment"] and contents(written)[0, 0] == 9
    py.bind("y", record)
    assert py.run("[float(x[0, 0]), float(y[0, 0])]") == b"[9.0,0.0]"


def test_views_are_counted_and_released_with_the_next_reply(py):
    record = py.make(numpy.ones(1000))
    for name in "xyz":
        py.bind(name, record)
    assert py.value("open('/proc/self/maps').read().count(%r)" % record["segment"])[1] == 1
    py.run("part = x[3:5]; del x, y, z")
    py.request("status")
    assert py.releases == []
    py.run("del part")
    py.request("status")
    assert py.releases == [[*key_of(record), 3]]
    assert py.value("open('/proc/self/maps').read().count(%r)" % record["segment"])[1] == 0


def test_a_large_view_is_released_at_once(py):
    asked = []

    def meta(header, body):
        record = py.make(numpy.ones(1 << 18))
        asked.append(list(py.releases))
        return {"refs": [key_of(record)]}, record

    py.evaluate("for _ in range(3): meta.call('js.f')", meta)
    py.request("status")
    assert len(py.releases) == 3


def test_bytes_and_texts_arrive(py):
    name = py.make(numpy.frombuffer("grüße".encode() * 20000, "u1"))
    for tag, wanted in (("Text", "grüße" * 20000), ("Bytes", ("grüße" * 20000).encode())):
        record = {"_type": tag, **{field: name[field] for field in ("owner", "generation", "ref", "segment")}, "length": 140000}
        py.bind("x", record)
        assert py.run("x == %r" % wanted) == b"true"
    py.bind("x", {**record, "offset": 7, "length": 7})
    assert py.run("x.decode()") == '"grüße"'.encode()
    py.request("status")
    assert [tuple(one) for one in py.releases] == [(*key_of(name), 1)] * 3
    assert py.refuse({**record, "_type": "Text", "offset": 3, "length": 2}) in ("wire/unreadable",)


def test_inline_arrays_arrive_writable(py):
    py.bind("x", {"_type": "Buffer", "buffer_id": "", "format": "int16", "shape": [3], "language": "js", "type": "Int16Array", "base64": "AQACAAMA"})
    assert py.value("x[0] = 7\n[x.tolist(), str(x.dtype)]")[1] == [[7, 2, 3], "int16"]


def test_a_live_record_of_another_session_is_a_proxy(py):
    live = {"_type": "Buffer", "buffer_id": "js-1-9", "format": "float64", "shape": [9], "language": "js", "type": "Float64Array", "owner": "js",
            "generation": 1, "ref": 9, "repr": "Float64Array(9)", "callable": False}
    py.bind("x", live)
    assert py.run("type(x) is meta.Handle") == b"true"


# -------------------------------------------------------------------------------------------------- without NumPy


def test_arrays_without_numpy(bare):
    record = bare.publish("import array; a = array.array('d', range(1000)); a")
    assert numpy.array_equal(contents(record), numpy.arange(1000.0)) and record["type"] == "array.array"
    bare.bind("b", bare.make(numpy.arange(1000.0).reshape(10, 100)))
    assert bare.value("[type(b).__name__, b[3, 4], b.shape, b.readonly]")[1][:2] == ["memoryview", 304.0]
    for array in (numpy.arange(1200, dtype="i4").reshape(30, 40).T, numpy.arange(1200, dtype="f2"), numpy.arange(1200, dtype="c8")):
        record = bare.make(array if array.flags.c_contiguous else array.T)
        if not array.flags.c_contiguous:
            record.update(shape=list(array.shape), strides=list(array.strides))
        bare.bind("v", record)
        assert bare.value("[type(v) is meta.View, v.format, list(v.shape)]")[1] == [True, str(array.dtype), list(array.shape)]
        last = complex(array[-1]) if array.dtype.kind == "c" else None
        if last is None:
            assert json.loads(bare.run("v.tolist()")) == array.tolist()
        _, back = bare.value("v")
        assert back["segment"] == record["segment"]
        bare.run("v.set(*[0] * len(v.shape), 3)")
        assert contents(bare.publish("v")).ravel()[0] == 3
    bare.run("v.release()")
    assert bare.error("v", share="publish")["code"] == "buffer/stale"


def test_arrays_made_without_numpy(bare):
    record = bare.publish("a = meta.array([[1, 2], [3, 4]] * 200); a[5, 1] = 9; a")
    assert contents(record)[5].tolist() == [3, 9] and contents(record)[4].tolist() == [1, 2] and record["format"] == "int64"
    assert bare.publish("a")["segment"] == record["segment"] and len(bare.own()) == 1
    assert contents(bare.publish("meta.share(bytearray(5000))")).size == 5000
    assert contents(bare.publish("meta.array([1j] * 500)"))[3] == 1j
    assert bare.run("meta.empty(3, 'float16').tolist()") == b"[0.0,0.0,0.0]"


def test_without_ctypes_arrays_are_copied(py):
    py.run("import sys; sys.modules['ctypes'] = None")
    first = py.publish("a = meta.empty(1000); a")
    py.run("a[:] = 2")
    assert contents(first).sum() == 0 and contents(py.publish("a")).sum() == 2000
    foreign = py.make(numpy.ones(1000))
    py.bind("x", foreign)
    assert py.value("x")[1]["segment"] == foreign["segment"]
    py.run("x[0] = 5")
    assert contents(py.publish("x"))[0] == 5 and contents(foreign)[0] == 1
    shared = py.publish("m = meta.empty(10, mutable=True); m")
    py.run("m[3] = 7")
    assert shared["mutable"] and contents(shared)[3] == 7
    for _ in range(3):
        record = py.publish("np.ones(100_000)")
        py.release([*key_of(record), 1])
    assert contents(py.publish("np.ones(100_000)[::-1]")).sum() == 100_000


def test_where_pages_cannot_be_asked_everything_was_written(py):
    py.bind("x", py.make(numpy.ones(1000)))
    py.run("import sys; buffers = sys.modules['_meta_kernel'].State.buffers; buffers.are_pages_written = lambda *_: True")
    assert py.publish("x")["owner"] == "py"
    first = py.publish("a = meta.empty(1000); a")
    second = py.publish("a")
    assert first["segment"] != second["segment"] and contents(second).sum() == 0
    py.bind("b", second)
    assert py.run("[a is b, float(b.sum())]") == b"[false,0.0]"


def test_what_knows_arrays_is_loaded_when_the_first_is_met(py):
    loaded = "import sys; sys.modules['_meta_kernel'].State.buffers is not None"
    py.run("[object(), lambda: 1, {'a': (1, b'x')}, 'x' * 1000]")
    assert py.run(loaded) == b"false"
    py.value("bytearray(9)")
    assert py.run(loaded) == b"true"
    assert py.run("import os; any(name.startswith('_meta_buffers.') for name in os.listdir(%r))" % (CACHE + "/__pycache__")) == b"true"


def test_numpy_is_imported_only_when_an_array_arrives(py):
    shop = Shop()
    try:
        shop.publish("bytearray(5000)")
        assert shop.run("import sys; 'numpy' in sys.modules") == b"false"
        shop.bind("x", shop.make(numpy.zeros(300)))
        assert shop.run("'numpy' in sys.modules") == b"true"
    finally:
        shop.finish()


# ----------------------------------------------------------------------------------------------------------- pool


def inode(record):
    return os.stat(FOLDER + record["segment"]).st_ino


def test_a_segment_is_used_again_under_a_new_name_when_nobody_has_it(py):
    first = py.publish("np.ones(100_000)")
    second = py.publish("np.ones(100_000)")
    assert inode(first) != inode(second)
    number = inode(first)
    py.release([*key_of(first), 1])
    third = py.publish("np.full(90_000, 3.0)")
    assert inode(third) == number and third["segment"] != first["segment"] and third["ref"] not in (first["ref"], second["ref"])
    assert files(first["segment"]) == [] and contents(third).sum() == 270_000
    assert set(open(FOLDER + third["segment"], "rb").read()[90_000 * 8 :]) == {0}
    assert stat.S_IMODE(os.stat(FOLDER + third["segment"]).st_mode) == 0o400
    assert contents(second).sum() == 100_000
    for _ in range(3):
        py.release([*key_of(third), 1])
        third = py.publish("np.full((300, 300), 4.0).T[::-1]")
        assert inode(third) == number and contents(third).sum() == 360_000


def test_a_much_larger_segment_is_not_wasted(py):
    first = py.publish("np.ones(100_000)")
    number = inode(first)
    py.release([*key_of(first), 1])
    assert inode(py.publish("np.ones(50_000)")) != number


def test_idle_segments_take_at_most_an_eighth_of_the_limit():
    shop = Shop(limit=40 << 20)
    try:
        shop.run("import numpy as np")
        records = [shop.publish("np.ones(1 << 19)") for _ in range(5)]  # 4 MiB each
        shop.release(*[[*key_of(record), 1] for record in records])
        assert json.loads(shop.request("status")[1])["bytes"] == 4 << 20
    finally:
        shop.finish()


# ------------------------------------------------------------------------------------------------------ the limits


def test_the_limit_is_that_of_all_sessions_together():
    shop = Shop(limit=10 << 20)
    try:
        shop.run("import numpy as np, meta")
        foreign = shop.make(numpy.zeros(1 << 19))  # 4 MiB
        record = shop.publish("a = np.ones(1 << 19); a")
        assert shop.error("a", share="publish")["code"] == "buffer/limit"
        assert shop.fail("meta.empty(1 << 19)")["code"] == "buffer/limit"
        assert shop.held() == 2 and len(shop.own()) == 1  # the segment, and the exception of the user's
        header, value = shop.value("bytes(4 << 20)", share="publish")
        assert "base64" in value and "shared" not in header
        shop.release([*key_of(record), 1])
        shop.publish("np.ones(1 << 18)")  # the idle one does not fit, and is in the way
        assert shop.error("np.ones(1 << 20)", share="publish")["code"] == "buffer/limit"
        assert foreign["segment"] in files(shop.family)
    finally:
        shop.finish()


def test_full_memory_is_an_error(py):
    py.run("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)); a = np.ones(1 << 18)")
    failed = py.error("a", share="publish")
    assert failed["code"] == "buffer/full" and str(8 << 18) in failed["message"]
    assert py.fail("meta.empty(1 << 18)")["code"] == "buffer/full"
    assert py.value("bytes(2 << 20)")[1].keys() == {"_type", "base64"}
    assert py.own() == [] and py.held() == 1  # the exception of the user's
    assert "segment" in py.publish("np.ones(1000)")


def test_too_many_mappings_are_an_error(py):
    py.bind("x", py.make(numpy.zeros(300)))
    py.run("import sys; parts = sys.modules['_meta_kernel'].State.buffers.Parts; kept = parts.maximum; parts.maximum = 2")
    record = py.make(numpy.zeros(300))
    assert py.refuse(record) == "buffer/mappings"
    py.run("parts.maximum = kept")
    py.bind("y", record)


def test_nothing_grows(py):
    status = "import os\n[len(os.listdir('/proc/self/fd')), len(open('/proc/self/maps').readlines())]"
    data = numpy.zeros(512)

    def cycle(count):
        for _ in range(count):
            record = py.make(data)
            header, back = py.value("x[0] = 1; x", {"x": record}, [key_of(record)], share="publish")
            py.release([*key_of(back), 1])
            os.unlink(FOLDER + record["segment"])

    cycle(100)
    before = json.loads(py.run(status))
    cycle(10_000)
    after = json.loads(py.run(status))
    assert after[0] == before[0] and after[1] <= before[1] + 20
    assert len(py.own()) <= 2 and py.held() == 0 and sum(times for *_, times in py.releases) == 10_100


def test_a_file_is_as_long_as_its_contents(py):
    """A new one, and one that is used again where its pages are as many; otherwise zeros are behind them."""
    inodes, path = set(), None
    for size in (5001, 8000, 4099, 8192, 5001):
        record = py.publish("np.frombuffer(np.random.default_rng(%d).bytes(%d), 'u1')" % (size, size))
        path = FOLDER + record["segment"]
        data = open(path, "rb").read()
        assert data == numpy.random.default_rng(size).bytes(size)
        assert os.stat(path).st_blocks * 512 == 8192
        inodes.add(os.stat(path).st_ino)
        py.release([*key_of(record), 1])
    assert len(inodes) == 1
    for size in (300_001, 300_003, 299_001, 299_100, 300_001):  # kept mapped when it is used again
        record = py.publish("np.full(%d, 7, 'u1')" % size)
        data = open(FOLDER + record["segment"], "rb").read()
        assert data == bytes([7]) * size + bytes(len(data) - size) and len(data) - size < 4096
        py.release([*key_of(record), 1])
        record = py.publish("np.full((3, 100_001), 7, 'u1')[:, ::-1]")
        assert (contents(record) == 7).all() and py.release([*key_of(record), 1]) is None
    record = py.publish("a = meta.empty(5001, 'uint8'); a[:] = 3; a")
    assert os.path.getsize(FOLDER + record["segment"]) == 5001 and contents(record).sum() == 15003
    py.bind("b", record)
    assert py.run("a is b") == b"true"
    again = py.publish("a[0] = 4; a")
    assert os.path.getsize(FOLDER + again["segment"]) == 5001 and contents(again).sum() == 15004 and contents(record).sum() == 15003


# --------------------------------------------------------------------------------------------------- fork, signals


def test_a_fork_reaches_nothing_of_its_parent(py):
    py.bind("x", py.make(numpy.ones(1000)))
    record = py.publish("a = meta.empty(1000); b = meta.empty(1000, mutable=True); c = np.ones(100_000); c")
    code = """
import os, gc
child = os.fork()
if child == 0:
    a[:] = 5
    b[:] = 6
    x[:] = 7
    ok = a.sum() == 5000 and meta.empty(1000).sum() == 0
    del a, b, x
    gc.collect()
    os._exit(0 if ok else 1)
[os.waitpid(child, 0)[1], float(a.sum()), float(b.sum()), float(x.sum())]"""
    assert py.value(code)[1] == [0, 0.0, 6000.0, 1000.0]
    assert len(py.own()) == 3 and py.releases == []
    py.value("a[:] = 2")
    assert contents(py.publish("a")).sum() == 2000 and contents(record).sum() == 100_000
    assert py.value("import os\nif os.fork() == 0: raise SystemExit(0)\nos.wait()[1]")[1] in (0, 256)
    assert len(py.own()) == 4  # what the fork sealed waits to be used again


def test_interrupts_leave_nothing_behind(py):
    py.run("a = np.ones(1 << 18)")
    for _ in range(40):
        py.start("eval", code="a", name="<x>", share="publish")
        py.interrupt()
        header, body = py.receive()
        if header["op"] == "ret":
            py.release([*key_of(json.loads(body)), 1])
        else:
            assert header["code"] == "runtime/interrupted"
    while True:  # signals that came late end a request at most
        header, _ = py.request("status")
        if header["op"] == "ret":
            break
    assert py.held() == 0 and len(py.own()) <= 2


def test_an_error_after_a_segment_was_made_gives_it_back(py):
    assert py.error("[np.ones(1000), '\\ud800']", share="publish")["code"] == "value/surrogate"
    assert py.held() == 0 and len(py.own()) == 1  # idle
