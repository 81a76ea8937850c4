"""Arrays of the JavaScript kernel in shared memory: what crosses as a buffer, how, and what comes home."""

import json
import math
import os
import random
import signal

import pytest
from segments_js import CODES, SHARED, SIZES, Arrays, Memory, items_of, pack, read, strides_of

CLASSES = {
    "int8": "Int8Array", "int16": "Int16Array", "uint16": "Uint16Array", "int32": "Int32Array", "uint32": "Uint32Array", "int64": "BigInt64Array",
    "uint64": "BigUint64Array", "float32": "Float32Array", "float64": "Float64Array",
}
WAYS = ["map", "copy"]


@pytest.fixture
def memory():
    memory = Memory()
    yield memory
    left = [name for name in memory.names() if name.startswith(memory.prefix)]
    memory.remove()
    assert left == []


@pytest.fixture(params=WAYS)
def js(request, memory, monkeypatch):
    """A kernel that maps, and one without the addon."""
    if request.param == "copy":
        monkeypatch.setenv("META_NODE_ADDON", "none")
    kernel = Arrays(memory)
    assert kernel.hello["buffers"] == request.param
    yield kernel
    kernel.close()


@pytest.fixture
def mapping(memory):
    kernel = Arrays(memory)
    yield kernel
    kernel.close()


# What crosses, and in which way


def test_the_operations(js):
    assert "publish" in js.hello["operations"]
    assert js.value("meta.buffers()") == js.hello["buffers"]


@pytest.mark.parametrize("format", CLASSES)
def test_typed_arrays_are_published(js, format):
    wide = "n" if format.endswith("64") and "int" in format else ""
    code = "new %s(Array.from({length: 3000}, (_, n) => %s))" % (CLASSES[format], "BigInt(n % 100)" if wide else "n % 100")
    header, record = js.ask(code)
    assert header["type"] == record["type"] == CLASSES[format] and record["language"] == "js"
    assert record["format"] == format and record["shape"] == [3000] and items_of(record) == [n % 100 for n in range(3000)]
    inline = 3000 * SIZES[format] < 2048
    assert ("segment" in record) is not inline and header.get("shared", False) is not inline
    if not inline:
        assert record["buffer_id"] == "js-1-%d" % record["ref"] and record["segment"].startswith("%s%d-" % (js.memory.prefix, record["ref"]))
        assert (SHARED / record["segment"]).stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize("code,type,items", [
    ("new Uint8ClampedArray([1, 300])", "Uint8ClampedArray", [1, 255]), ("Buffer.from('ab')", "Buffer", [97, 98]),
    ("new Uint8Array([1, 2, 3]).buffer", "ArrayBuffer", [1, 2, 3]), ("new DataView(new Uint8Array([1, 2, 3]).buffer, 1)", "DataView", [2, 3]),
    ("new Uint16Array(new SharedArrayBuffer(4))", "Uint16Array", [0, 0]), ("new Float64Array(0)", "Float64Array", []),
    ("new Float32Array([1, 2, 3, 4]).subarray(1, 3)", "Float32Array", [2, 3]),
])
def test_small_arrays_are_inline(js, code, type, items):
    header, record = js.ask(code)
    assert record["type"] == type and record["shape"] == [len(items)] and items_of(record) == items
    assert record["buffer_id"] == "" and "ref" not in record and "refs" not in header and "shared" not in header


def test_bytes_stay_bytes(js):
    assert js.value("new Uint8Array([1, 2])") == {"_type": "Bytes", "base64": "AQI="}
    assert js.value("new Uint8Array(65535)")["base64"]
    header, record = js.ask("long = new Uint8Array(65536).fill(7)")
    assert record["_type"] == "Bytes" and header["shared"] is True and record["length"] == 65536 and read(record["segment"]) == b"\7" * 65536
    assert js.value("long", share="none")["base64"]
    assert js.ask("long", share=None)[1]["segment"]


def test_long_texts(js):
    assert js.value("'é'.repeat(32767)") == "é" * 32767
    for wrap in ("%s", "[%s]", "({a: [1, %s]})", "new Map([[1, %s]])"):
        header, value = js.ask(wrap % "'é'.repeat(32768)")
        record = value if wrap == "%s" else value[0] if wrap == "[%s]" else value["a"][1] if "a:" in wrap else value["entries"][0][1]
        assert record["_type"] == "Text" and record["length"] == 65536 and read(record["segment"]).decode() == "é" * 32768
    assert js.value("'é'.repeat(32768)", share="none") == "é" * 32768
    assert js.value("({['k'.repeat(70000)]: 1})") == {"k" * 70000: 1}  # a key has to be a text
    assert js.value("new meta.Tagged('Decimal', {value: '1'.repeat(70000)})") == {"_type": "Decimal", "value": "1" * 70000}
    assert js.refuse("'x'.repeat(70000) + '\\ud800'") == "value/surrogate"


@pytest.mark.parametrize("code", [
    "Object.assign(new Float64Array(2), {x: 1})", "Object.assign(new Uint8Array(2), {x: 1})", "Object.assign(new Uint8Array(2000), {x: 1})",
    "Object.assign(new Float64Array(2), {[Symbol('x')]: 1})", "new (class extends Float64Array {})(2)", "new SharedArrayBuffer(8)",
    "Object.assign(new ArrayBuffer(8), {x: 1})", "meta.ref(new Float64Array(2))", "[1, new (class extends Uint8Array {})(2)][1]",
])
def test_what_stays_a_handle(js, code):
    assert js.value(code)["_type"] == "Ref"


def test_shares(js):
    js.run("x = new Float64Array([1.5]); 1")
    header, record = js.ask("[x, x, {x}]", share=None)
    assert header["live"] is True and "shared" not in header and header["refs"] == [["js", 1, record[0]["ref"]]]
    assert record[0] == record[2]["x"] == {
        "_type": "Buffer", "buffer_id": "js-1-1", "format": "float64", "shape": [1], "language": "js", "type": "Float64Array", "owner": "js",
        "generation": 1, "ref": 1, "repr": "Float64Array(1) [ 1.5 ]", "callable": False,
    }
    assert js.value("y === x", {"y": record[0]}) is True
    assert js.value("x", share="none")["_type"] == "Ref"
    header, body = js.request("publish", ref=1)
    assert items_of(json.loads(body)) == [1.5] and "refs" not in header
    js.run("x = new Float64Array(1000); 1")
    header, body = js.request("publish", ref=js.value("x", share=None)["ref"])
    assert json.loads(body)["segment"] and header["shared"] is True
    assert js.request("publish", ref=js.value("f = () => 1")["ref"])[0]["code"] == "buffer/format"
    assert js.value("x.subarray(2)", hold=True)["_type"] == "Ref"


def test_copies(js):
    assert js.value("new Float32Array([1, 2])", copy=True) == [1, 2]
    assert js.value("meta.array([[1, 2], [3, 4]], 'int8')", copy=True) == [[1, 2], [3, 4]]
    assert js.value("meta.array([{re: 1, im: 2}])", copy=True) == [{"_type": "Complex", "re": 1, "im": 2}]
    assert js.value("meta.array([true, false])", copy=True) == [True, False]


def test_errors_have_arrays_as_data(js):
    header, body = js.request("eval", code="throw Object.assign(new Error('x'), {data: new Float64Array(1000)})", name="<x>", share="publish")
    assert json.loads(body)["data"]["segment"] and header["shared"] is True and len(header["refs"]) == 2


def test_without_names_there_are_no_segments():
    from driver import Kernel
    kernel = Kernel("js")
    assert json.loads(kernel.run("new Float64Array(9)"))["_type"] == "Ref"
    assert json.loads(kernel.run("new Uint8Array(70000)"))["base64"]
    assert kernel.run("meta.empty(5000).length") == b"5000"
    kernel.close()


# Round trips


def orders(shape, format, rng):
    """Strides and offset of some way in which items of a shape may lie, and the bytes needed."""
    size = SIZES[format]
    axes = list(range(len(shape)))
    rng.shuffle(axes)
    step, strides = size * rng.choice([1, 1, 2]), [0] * len(shape)
    for axis in axes:
        strides[axis] = step * rng.choice([1, 1, -1])
        step *= max(shape[axis], 1)
    reach = [(count - 1) * stride for count, stride in zip(shape, strides)]
    offset = -sum(each for each in reach if each < 0) + rng.choice([0, 0, 1, 64])
    return strides, offset, offset + sum(each for each in reach if each > 0) + size


def test_round_trips(js):
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print("SEED=%d" % seed)
    rng = random.Random(seed)
    for _ in range(150):
        format = rng.choice(list(CODES))
        shape = [rng.choice([0, 1, 2, 3, 7, 40]) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
        strides, offset, length = orders(shape, format, rng)
        data = bytearray(rng.randbytes(length + rng.choice([0, 5])))
        if format == "bool":
            data = bytearray(byte & 1 for byte in data)
        if "float" in format or "complex" in format:  # a signaling NaN need not come through a number
            data = bytearray(pack("float16", [1.5]) * (len(data) // 2 + 1))[:len(data)]
            data[offset % 2::2] = bytes(rng.randrange(0, 2) for _ in data[offset % 2::2])
        record = js.memory.record(bytes(data), format, shape, strides=strides, offset=offset)
        shown = js.value("x = v; y = [x.shape, x.strides, x.format, x instanceof meta.View ? x.size : x.length]", {"v": record})
        assert shown == [shape, strides, format, math.prod(shape)]
        wanted = items_of(record)
        same = js.value("x")
        assert items_of(same) == wanted and same["shape"] == shape and same["format"] == format, record
        if js.hello["buffers"] == "map" and wanted:
            assert same == record
        fresh = js.value("meta.array(x)")
        assert items_of(fresh) == wanted and fresh["shape"] == shape and fresh.get("strides") is None
        js.run("x.release(); 1")


@pytest.mark.parametrize("format", CODES)
def test_formats_come_as(js, format):
    numbers = [1, 0, 1] if format == "bool" else [1 + 2j, 0j] if "complex" in format else [1, 2, 3]
    record = js.memory.array(numbers, format)
    js.ask("x = v; 1", {"v": record})
    kind = js.value("Object.prototype.toString.call(x).slice(8, -1).split(' ')[0]")
    assert kind == (CLASSES.get(format) or {"bool": "Uint8Array", "uint8": "Uint8Array"}.get(format, kind))
    if "complex" in format:
        assert kind == "View" and js.value("[x.get(0).re, x.get(0).im, [...x.toTypedArray()]]") == [1, 2, [1, 2, 0, 0]]
    back = js.value("x")
    assert back["format"] == format and items_of(back) == numbers
    assert js.value("Object.keys(x).length") == (0 if kind == "View" else len(numbers))  # what is added does not show


# Value semantics


def test_attached_arrays_are_values(mapping):
    js = mapping
    record = js.memory.array([1.0, 2.0, 3.0] * 1000)
    js.ask("x = v; 1", {"v": record})
    assert js.value("[x[0], x]") == [1, record]
    part = {**record, "language": "js", "type": "Float64Array"}
    assert js.value("x.subarray(1000)") == {**part, "shape": [2000], "offset": 8000}
    assert js.value("new Uint8Array(x.buffer, 16, 8)") == {**part, "type": "Uint8Array", "format": "uint8", "shape": [8], "offset": 16}
    assert js.value("x", share=None) == record
    mine = js.value("x[0] = 9; x")
    assert mine["owner"] == "js" and items_of(mine)[:2] == [9, 2] and items_of(record)[0] == 1
    assert js.value("x.subarray(2000)") == {**part, "shape": [1000], "offset": 16000}  # its pages were not written
    assert js.value("w = v; [w === x, w[0], x[0]]", {"v": record}) == [False, 1, 9]  # what is sent again is what was sent
    js.run("w.release(); x.release(); 1")
    assert js.status()["handles"] == 0
    js.request("status")
    assert sum(item[3] for item in js.released if item[2] == record["ref"]) == 2


def test_two_records_share_a_mapping(mapping):
    js = mapping
    record = js.memory.array([1.0] * 1000)
    part = {**record, "shape": [10], "offset": 80}
    assert js.value("a = v.a; b = v.b; c = v.c; [a === c, a.buffer === b.buffer]", {"v": {"a": record, "b": part, "c": record}}) == [True, True]
    assert js.status()["mappings"] == 1
    assert js.value("a.release(); [a[0], b.length]") == [{"_type": "Undefined"}, 0]
    assert js.refuse("a") == js.refuse("b") == js.refuse("[1, {a}]") == "buffer/stale"
    assert js.request("eval", code="a", name="<x>")[0]["code"] == "buffer/stale"  # for meta too
    assert js.value("a.release(); 1") == 1
    js.request("status")
    assert js.released == [("py", 1, record["ref"], 1)]


def test_own_arrays_come_home(mapping):
    js = mapping
    js.run("x = meta.empty([50, 20], 'float64'); x.fill(1); part = x.subarray(10, 900); 1")
    record, part = js.value("[x, part]")
    assert record["ref"] == part["ref"] and record["shape"] == [50, 20] and part["offset"] == 80
    assert js.value("v[0] === x && v[1] === part", {"v": [record, part]}) is True
    assert items_of(record) == [1] * 1000
    js.run("x[5] = 2; 1")
    assert items_of(record) == [1] * 1000  # what was published stays
    assert js.value("[v === x, v[5], x[5]]", {"v": record}) == [False, 1, 2]
    again = js.value("x")
    assert again["segment"] != record["segment"] and items_of(again)[5] == 2
    assert js.value("v === x", {"v": again}) is True
    js.run("y = new Float64Array(1000).fill(3); 1")
    private = js.value("y")
    assert js.value("h = v; [h === y, h[0]]", {"v": private}) == [False, 3]
    assert js.value("h") == private  # unwritten, it is the same segment
    assert js.value("y[0] = 4; y")["ref"] != private["ref"]


def test_mutable_arrays(mapping):
    js = mapping
    js.run("x = meta.empty([2], 'int32', {mutable: true, name: 'Counter'}); 1")
    record = js.value("x")
    assert record["mutable"] is True and record["name"] == "Counter" and "segment" in record
    path = SHARED / record["segment"]
    assert path.stat().st_mode & 0o777 == 0o600
    with open(path, "r+b") as file:
        file.write(pack("int32", [7, 8]))
    assert js.value("[x[0], x[1]]") == [7, 8]
    js.run("x[1] = 9; 1")
    assert items_of(record) == [7, 9] and js.value("x") == record and js.value("v === x", {"v": record}) is True
    other = js.memory.array([1, 2], "int32", mode=0o600, mutable=True)
    js.ask("y = v; y[0] = 5; 1", {"v": other})
    assert items_of(other) == [5, 2] and js.value("y") == other
    sealed = js.memory.array([1, 2], "int32", mutable=True)
    assert js.refuse("v", {"v": sealed}) == "buffer/forged"
    js.run("x.release(); y.release(); 1")


# Views


def test_views(js):
    record = js.memory.array([1, 2, 3, 4, 5, 6], "int32", [2, 3], strides=[4, 8])
    js.ask("x = v; 1", {"v": record})
    assert js.value("x instanceof meta.View && [x.get(0, 1), x.get(1, 2), x.size, x.format, [...x], x.toArray()]") == [
        3, 6, 6, "int32", [1, 3, 5, 2, 4, 6], [[1, 3, 5], [2, 4, 6]]]
    assert js.value("x.toTypedArray().join()") == "1,3,5,2,4,6"
    for bad in ("x.get(0)", "x.get(2, 0)", "x.get(-1, 0)", "x.get(0, 0, 0)", "x.get(0.5, 0)", "x.set(0, 1)"):
        assert js.request("eval", code=bad, name="<x>")[0]["type"] == "RangeError"
    assert js.request("eval", code="new meta.View()", name="<x>")[0]["type"] == "TypeError"
    mine = js.value("x.set(0, 1, 30); x")
    assert items_of(mine) == [1, 30, 5, 2, 4, 6] and items_of(record)[1] == 3
    assert js.value("x", copy=True) == [[1, 30, 5], [2, 4, 6]]
    js.run("x.release(); 1")
    assert js.refuse("x") == "buffer/stale" and js.refuse("x.get(0, 0)") == "runtime/raised"


def test_float16(js):
    numbers = [0.0, -0.0, 1.0, -1.5, 65504.0, 2 ** -24, 2 ** -14, 0.333251953125, math.inf, -math.inf]
    js.ask("x = v; 1", {"v": js.memory.array(numbers, "float16")})
    assert js.value("Array.from(x).map(String).join()") == "0,0,1,-1.5,65504,5.960464477539063e-8,0.00006103515625,0.333251953125,Infinity,-Infinity"
    rounded = js.value("meta.array([1/3, 65519, 65520, 1e-8, 2 ** -25, 2 ** -25 * 1.1, 2049, 2051, NaN], 'float16')")
    assert [str(each) for each in items_of(rounded)] == ["0.333251953125", "65504.0", "inf", "0.0", "0.0", "5.960464477539063e-08", "2048.0", "2052.0", "nan"]


def test_making_arrays(js):
    assert js.value("x = meta.empty(3); [x.length, x[0], x.format, x.shape, Object.isFrozen(x.shape)]") == [3, 0, "float64", [3], True]
    assert items_of(js.value("meta.array([1n, 2n])")) == [1, 2] and js.value("meta.array([1n])")["format"] == "int64"
    assert js.value("meta.array(new Set([1, 2]), 'uint8')")["shape"] == [2]
    assert items_of(js.value("meta.array(new Int8Array([1, -2]), 'int64')")) == [1, -2]
    assert items_of(js.value("meta.share(new Float32Array([1, 2]), {name: 'N'})")) == [1, 2]
    assert js.value("meta.array(5000 > 1 ? [[1, 2], [3, 4]] : 0, 'uint8')")["shape"] == [2, 2]
    assert js.value("meta.empty([], 'float64').length") == 1
    for bad, code in (("meta.empty(3, 'float')", "buffer/format"), ("meta.empty(-1)", "buffer/range"), ("meta.empty([2 ** 40, 2 ** 40])", "buffer/range"),
                      ("meta.empty([1.5])", "buffer/range"), ("meta.array([[1], [1, 2]])", "buffer/format"), ("meta.empty(2 ** 45)", "buffer/range")):
        assert js.refuse(bad) == code, bad


# Detached arrays


@pytest.mark.parametrize("code", ["x", "x.buffer", "new DataView(x.buffer)"])
def test_detached_arrays(js, code):
    code = "(() => { const x = new Float64Array(10), v = %s; structuredClone(x.buffer, {transfer: [x.buffer]}); return v })()" % code
    assert js.refuse(code) == "buffer/stale"
    assert js.run("1+1") == b"2"


def test_an_array_that_user_code_moved(mapping):
    js = mapping
    record = js.memory.array([1.0] * 1000)
    js.ask("x = v; 1", {"v": record})
    assert js.value("structuredClone(x.buffer).byteLength") == 8000
    js.run("s = new ReadableStream({type: 'bytes', start(c) { c.enqueue(new Uint8Array(x.buffer)) }}); r = s.getReader(); p = r.read(); 1")
    assert js.value("(await p).value.length") == 8000
    js.run("x.release(); 1")
    assert js.value("(await p).value[7]") == 63  # the memory that was moved is still there


# Segments of the kernel


def test_segments_are_used_again(js):
    js.run("x = new Float64Array(10000).fill(1); y = new Float64Array(9000).fill(2); 1")
    first = js.value("x")
    inode = (SHARED / first["segment"]).stat().st_ino
    js.give_back(first)
    second = js.value("y")
    assert second["ref"] > first["ref"] and second["segment"] != first["segment"] and js.memory.names() == [second["segment"]]
    assert (SHARED / second["segment"]).stat().st_ino == inode
    data = read(second["segment"])
    assert len(data) == 80000 and data[72000:] == bytes(8000) and items_of(second) == [2] * 9000
    third = js.value("[x, x]")
    assert third[0]["ref"] != second["ref"] and len({each["segment"] for each in third + [second]}) == 3  # never before it is given back
    assert js.status()["segments"] == 3
    assert js.request("publish", ref=second["ref"])[0]["op"] == "err"
    assert js.refuse("v", {"v": first}) == "buffer/stale"
    assert js.refuse("v", {"v": {**second, "segment": third[0]["segment"]}}) == "buffer/forged"


def test_waste_is_small(js):
    js.give_back(js.value("new Float64Array(10000)"))
    assert len(js.value("new Float64Array(7400)") and js.memory.names()) == 2


def test_the_limit():
    memory = Memory()
    js = Arrays(memory, limit=1 << 20)
    records = [js.value("new Float64Array(40000)") for _ in range(3)]
    assert js.refuse("new Float64Array(40000)") == "buffer/limit"
    assert js.value("new Uint8Array(100000)")["base64"]  # bytes and texts have another way
    assert len(js.value("'x'.repeat(100000)")) == 100000
    assert js.value("meta.empty(40000).length") == 40000
    js.give_back(*records)
    assert js.value("new Float64Array(90000)")["segment"] and js.status()["segments"] == 1  # the pool makes room
    js.close()
    assert memory.names() == []


def test_a_failed_frame_keeps_nothing(js):
    assert js.refuse("a = [new Float64Array(5000)]; a.push(a); a") == "value/cycle"
    assert js.status()["held"] == 0 and js.value("new Float64Array(5000)")["segment"] and js.status()["segments"] == 1


def test_a_dying_kernel(memory):
    js = Arrays(memory)
    record = js.value("x = meta.empty(5000); x")
    os.kill(js.pid, signal.SIGKILL)
    js.wait()
    assert items_of(record) == [0] * 5000
    js.close()
    for name in memory.names():
        (SHARED / name).unlink()  # meta does
