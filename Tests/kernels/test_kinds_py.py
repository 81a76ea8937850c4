"""What comes home to Python is of the kind that left, and what passes through it stays of the kind that it was."""

import numpy
import pytest
from segments import contents, key_of
from test_buffers_py import bare, py  # noqa: F401

KINDS = {
    "bytearray": "bytearray(b'ab' * %d)",
    "array.array": "array.array('d', [1.5] * %d)",
    "array of l": "array.array('l', range(%d))",
    "array of q": "array.array('q', range(%d))",
    "array of L": "array.array('L', range(%d))",
    "array of Q": "array.array('Q', range(%d))",
    "array of B": "array.array('B', b'ab' * %d)",
    "memoryview": "memoryview(bytearray(b'ab' * %d))",
    "memoryview of bool": "memoryview(array.array('B', [1] * %d)).cast('?')",
    "memoryview of l": "memoryview(array.array('l', range(%d)))",
    "memoryview of q": "memoryview(array.array('q', range(%d)))",
    "memoryview of two axes": "memoryview(bytearray(8 * %d)).cast('h', [%d, 4])",
}


def source(kind, count):
    return KINDS[kind] % ((count,) * KINDS[kind].count("%d"))


@pytest.mark.parametrize("count", [0, 5, 3000])
@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_home_is_of_its_kind(py, kind, count):  # noqa: F811
    if kind == "memoryview of two axes" and not count:
        return
    record = py.publish("import array; a = %s; a" % source(kind, count))
    py.bind("b", record)
    code = "[type(b) is type(a), b == a, getattr(b, 'typecode', getattr(b, 'format', 0)) == getattr(a, 'typecode', getattr(a, 'format', 0))]"
    assert py.value(code)[1] == [True, True, True]
    if "segment" in record and not kind.startswith("memoryview"):
        assert py.value("b[0] = 7; a[0]")[1] != 7
    data = contents(record)
    if data.size > 300:  # another session wrote in it, so that it has the segment
        py.bind("c", py.make(data, language="py", type=record["type"]))
        assert py.value("[type(c) is type(a), c == a]")[1] == [True, True]


def test_a_kind_that_python_has_is_copied_and_its_segment_given_back(py):  # noqa: F811
    record = py.make(numpy.ones(5000, "u1"), language="py", type="bytearray")
    py.bind("x", record)
    py.request("status")
    assert py.releases == [[*key_of(record), 1]] and py.value("[type(x) is bytearray, sum(x)]")[1] == [True, 5000]


def test_kinds_without_numpy(bare):  # noqa: F811
    for kind in KINDS:
        for count in (5, 3000):
            bare.bind("b", bare.publish("import array; a = %s; a" % source(kind, count)))
            assert bare.value("[type(b) is type(a), b == a]")[1] == [True, True], kind


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "I;16", "F"])
@pytest.mark.parametrize("size", [(3, 2), (60, 70)])
def test_pictures_come_home(py, mode, size):  # noqa: F811
    py.run("from PIL import Image; a = Image.effect_noise(%r, 90).convert('RGB')" % (size,))
    py.run("a = a.convert('L').convert('I;16' if %r == 'I;16' else %r) if %r not in ('RGB', 'RGBA') else a.convert(%r)" % ((mode,) * 4))
    record = py.publish("a")
    py.bind("b", record)
    assert py.value("[type(b) is Image.Image, b.mode, b == a]")[1] == [True, mode, True]


def test_a_picture_of_a_file_comes_home_as_one_of_memory(py):  # noqa: F811
    py.run("from PIL import Image; import io; f = io.BytesIO(); Image.new('RGB', (40, 50), 'red').save(f, 'PNG'); a = Image.open(f)")
    record = py.publish("a")
    assert record["type"] == "PIL.PngImagePlugin.PngImageFile"
    py.bind("b", record)
    assert py.value("[type(b) is Image.Image, b.getpixel((3, 3))]")[1][0] is True


@pytest.mark.parametrize("fields", [
    {"type": "bytearray", "format": "int8"}, {"type": "bytearray", "shape": [10, 400]}, {"type": "array.array('x')"}, {"type": "array.array(')"},
    {"type": "array.array('u')"}, {"type": "memoryview('d')"}, {"type": "PIL.Image.Image"}, {"type": "PIL."}, {"type": "os.path"}, {"type": "array.array", "shape": [2, 2000]},
    {"type": "array.array('q')"}, {"type": ""}, {"type": "no.such"},
])  # fmt: skip
def test_what_says_a_kind_that_it_cannot_be_is_an_array(py, fields):  # noqa: F811
    py.bind("x", py.make(numpy.ones(4000, "u1"), language="py", **fields))
    assert py.value("[type(x).__name__, int(np.asarray(x).sum())]")[1] == ["ndarray", 4000]


def test_what_passes_through_stays_of_its_kind(py):  # noqa: F811
    for kind, format in (("Buffer", "u1"), ("DataView", "u1"), ("Float64Array", "f8"), ("Uint8ClampedArray", "u1")):
        for count in (5, 5000):
            record = py.make(numpy.ones(count, format), type=kind)
            py.bind("x", record)
            assert py.publish("x") == record  # unwritten
            written = py.publish("x[0] = 2; x")
            assert [written["language"], written["type"]] == ["js", kind] and contents(written)[0] == 2
            live = py.value("x")[1]
            assert [live["language"], live["type"], live["owner"]] == ["js", kind, "py"]
            py.bind("y", live)
            assert py.run("x is y") == b"true"
            for derived in ("x[1:]", "x.reshape(1, -1)", "x + x", "x.copy()", "memoryview(x)"):
                part = py.publish(derived)
                assert [part["language"], part["type"]] == ["py", "memoryview" if "memory" in derived else "numpy.ndarray"], derived
    shape = py.publish("x.shape = (50, 100); x")
    assert [shape["language"], shape["type"]] == ["py", "numpy.ndarray"]


def test_inline_arrays_keep_kind_and_name(py):  # noqa: F811
    record = {"_type": "Buffer", "buffer_id": "", "format": "int16", "shape": [3], "language": "js", "type": "Int16Array", "name": "Three", "base64": "AQACAAMA"}
    py.bind("x", record)
    assert py.publish("x") == record
    assert py.publish("x[0] = 9; x") == {**record, "base64": "CQACAAMA"}
    assert py.publish("x[:]")["type"] == "numpy.ndarray" and "name" not in py.publish("x[:]")
    py.bind("y", {**record, "language": "py", "type": "numpy.ndarray"})
    assert py.publish("y") == {**record, "language": "py", "type": "numpy.ndarray"}


def test_the_very_array_comes_home_by_its_kind(py):  # noqa: F811
    _, (one, other) = py.value("a = meta.empty(5000, 'uint8'); m = memoryview(a); [a, m]", share="publish")
    py.bind("b", one)
    py.bind("n", other)
    assert py.run("[a is b, m is n]") == b"[true,true]"
