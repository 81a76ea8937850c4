"""What comes home to JavaScript is of the kind that left, and what passes through it stays of the kind that it was."""

import pytest
from segments_js import items_of
from test_buffers_js import CLASSES, js, mapping, memory  # noqa: F401

KINDS = ["Buffer", "ArrayBuffer", "DataView", "Uint8ClampedArray", *CLASSES.values()]


def source(kind, count):
    if kind == "Buffer":
        return "Buffer.alloc(%d, 7)" % count
    if kind in ("ArrayBuffer", "DataView"):
        made = "new Uint8Array(%d).fill(7).buffer" % count
        return made if kind == "ArrayBuffer" else "new DataView(%s)" % made
    return "new %s(%d).fill(%s)" % (kind, count, "7n" if "64" in kind and "Big" in kind else "7")


CHECK = """(() => {
  const { inspect } = require('util');
  const bytes = (a) => a instanceof ArrayBuffer ? Buffer.from(a) : Buffer.from(a.buffer, a.byteOffset, a.byteLength);
  return [Object.getPrototypeOf(b) === Object.getPrototypeOf(a), inspect(b) === inspect(a), bytes(a).equals(bytes(b))];
})()"""


@pytest.mark.parametrize("count", [0, 5, 3000])
@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_home_is_of_its_kind(js, kind, count):  # noqa: F811
    record = js.value("a = %s; a" % source(kind, count))
    assert [record["language"], record["type"]] == ["js", kind]
    js.ask("b = v; 1", {"v": record})
    assert js.value(CHECK) == [True, True, True]
    if count == 3000:  # another session wrote in it, so that it has the segment
        data = (7).to_bytes(1, "little") if record["format"] == "uint8" else None
        if data:
            js.ask("b = v; 1", {"v": js.memory.record(data * count, "uint8", [count], language="js", type=kind)})
            assert js.value(CHECK) == [True, True, True]
            js.ask("b = v; 1", {"v": js.memory.record(data * 4096, "uint8", [count], language="js", type=kind)})  # a file that is larger
            assert js.value(CHECK) == [True, kind != "DataView" or js.hello["buffers"] == "copy", True]  # a DataView shows all of its memory
    again = js.value("b")
    assert [again["language"], again["type"], items_of(again)] == ["js", kind, items_of(record)]


def test_kinds_share_memory_with_their_segment(mapping):  # noqa: F811
    js = mapping
    for kind in ("Buffer", "ArrayBuffer", "DataView", "Uint8ClampedArray"):
        record = js.memory.record(b"ab" * 2048, "uint8", [4096], language="js", type=kind)
        js.ask("b = v; 1", {"v": record})
        assert js.value("b") == record, kind
        assert js.value("v === b", {"v": record}) is True
        js.run("b.release(); 1")
        assert js.status()["mappings"] == 0 and js.refuse("b") == "buffer/stale"


@pytest.mark.parametrize("fields", [
    {"type": "Buffer", "format": "int8"}, {"type": "Buffer", "shape": [2, 2048]}, {"type": "ArrayBuffer", "shape": [64, 64]}, {"type": "SharedArrayBuffer"},
    {"type": "constructor"}, {"type": ""}, {"type": "DataView", "shape": [2048], "strides": [2]}, {"type": 5}, {"type": None},
])  # fmt: skip
def test_what_says_a_kind_that_it_cannot_be_is_an_array(js, fields):  # noqa: F811
    js.ask("x = v; 1", {"v": {**js.memory.record(b"\1" * 4096, "uint8", [4096], language="js"), **fields}})
    assert js.value("[x.shape, [...(x.toTypedArray?.() ?? x)].reduce((a, b) => a + b)]")[1] in (4096, 2048)


def test_what_passes_through_stays_of_its_kind(js):  # noqa: F811
    for kind, format in (("bytearray", "uint8"), ("array.array('q')", "int64"), ("numpy.ndarray", "float64"), ("PIL.Image.Image", "uint8"), ("memoryview", "float16")):
        record = js.memory.array([1] * 5000, format, shape=[50, 100], type=kind)
        js.ask("x = v; 1", {"v": record})
        same = js.value("x")
        assert [same["language"], same["type"], same["shape"]] == ["py", kind, [50, 100]]
        live = js.value("x.set?.(0, 0, 2) ?? (x[0] = x[0]); y = x; x", share=None)
        assert [live["language"], live["type"], live["owner"]] == ["py", kind, "js"]
        written = js.value("x")
        assert [written["language"], written["type"], written["owner"]] == ["py", kind, "js"]
        if format != "float16":
            part = js.value("x.subarray(1)")
            assert part["_type"] == "Bytes" or part["language"] == "js" and part["type"] in (*CLASSES.values(), "Uint8Array")
        assert js.value("meta.array(x)")["language"] == "js"


def test_inline_arrays_keep_their_kind(js):  # noqa: F811
    record = {"_type": "Buffer", "buffer_id": "", "format": "uint8", "shape": [3], "language": "py", "type": "bytearray", "base64": "AQID"}
    js.ask("x = v; 1", {"v": record})
    assert js.value("x") == record
    assert js.value("x[0] = 9; x") == {**record, "base64": "CQID"}


def test_a_bulk_copy_of_a_buffer_is_bytes(js):  # noqa: F811
    js.ask("x = v; 1", {"v": js.value("Buffer.from('abc')")})
    assert js.value("x", copy=True) == {"_type": "Bytes", "base64": "YWJj"}


def test_the_very_array_comes_home_by_its_kind(mapping):  # noqa: F811
    js = mapping
    records = js.value("a = meta.empty(5000, 'uint8'); b = Buffer.from(a.buffer); c = a.buffer; d = new DataView(c); [a, b, c, d]")
    assert len({record["segment"] for record in records}) == 1
    assert js.value("[v[0] === a, v[1] === b, v[2] === c, v[3] === d]", {"v": records}) == [True] * 4
