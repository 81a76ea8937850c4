"""What the Python kernel makes of records that are wrong, and of segments that are not what they should be: an error with a
code, never a fault. And of objects that lend their memory in odd ways."""

import base64
import json
import os
import random
import socket

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from segments import FOLDER, Shop, contents, key_of, write


@pytest.fixture(scope="module")
def shop():
    shop = Shop()
    shop.run("import meta, numpy as np")
    yield shop
    shop.finish()


@pytest.fixture
def record(shop):
    return shop.make(numpy.arange(1000.0))


BIG = 1 << 62


@pytest.mark.parametrize("change,code", [
    ({"format": "float128"}, "wire/unreadable"), ({"format": None}, "wire/unreadable"), ({"format": ["uint8"]}, "wire/unreadable"),
    ({"shape": None}, "wire/unreadable"), ({"shape": 1000}, "wire/unreadable"), ({"shape": [-1]}, "wire/unreadable"),
    ({"shape": [True]}, "wire/unreadable"), ({"shape": [1.0]}, "wire/unreadable"), ({"shape": ["1"]}, "wire/unreadable"),
    ({"shape": [1] * 33}, "wire/unreadable"), ({"shape": [BIG, BIG]}, "wire/unreadable"), ({"shape": [0, BIG, BIG]}, "wire/unreadable"),
    ({"shape": [1 << 64]}, "wire/unreadable"), ({"shape": [1 << 60]}, "wire/unreadable"), ({"shape": [10**30]}, "wire/unreadable"),
    ({"shape": [1001]}, "buffer/range"), ({"shape": [1 << 59]}, "buffer/range"), ({"shape": [2000, 1], "strides": [8, 0]}, "buffer/range"),
    ({"strides": [8, 8]}, "wire/unreadable"), ({"strides": []}, "wire/unreadable"), ({"strides": [True]}, "wire/unreadable"),
    ({"strides": [None]}, "wire/unreadable"), ({"strides": None}, "wire/unreadable"), ({"strides": {"0": 8}}, "wire/unreadable"),
    ({"strides": [1 << 63]}, "wire/unreadable"), ({"strides": [-(1 << 63) - 1]}, "wire/unreadable"),
    ({"strides": [-8]}, "buffer/range"), ({"strides": [16]}, "buffer/range"), ({"strides": [-(1 << 63)]}, "buffer/range"),
    ({"strides": [(1 << 63) - 1]}, "buffer/range"), ({"offset": 1}, "buffer/range"), ({"offset": BIG}, "buffer/range"),
    ({"offset": -1}, "wire/unreadable"), ({"offset": True}, "wire/unreadable"), ({"offset": 1 << 63}, "wire/unreadable"),
    ({"offset": 0.0}, "wire/unreadable"), ({"offset": "0"}, "wire/unreadable"), ({"offset": None}, "wire/unreadable"),
    ({"shape": [0], "offset": 4097 * 8}, "buffer/range"), ({"mutable": 1}, "wire/unreadable"), ({"mutable": None}, "wire/unreadable"),
    ({"mutable": True}, "buffer/forged"), ({"name": 5}, "wire/unreadable"), ({"language": None}, "wire/unreadable"), ({"type": 5}, "wire/unreadable"),
    ({"segment": 5}, "wire/unreadable"), ({"segment": None}, "wire/unreadable"), ({"segment": ""}, "buffer/forged"),
    ({"base64": ""}, "wire/unreadable"), ({"base64": 5}, "wire/unreadable"), ({"base64": None}, "wire/unreadable"),
    ({"owner": 5}, "wire/unreadable"), ({"generation": True}, "wire/unreadable"), ({"ref": 1.0}, "wire/unreadable"), ({"ref": None}, "wire/unreadable"),
    ({"owner": "py"}, "wire/unreadable"), ({"ref": 10**9}, "wire/unreadable"),
])
def test_wrong_records(shop, record, change, code):
    assert shop.refuse({**record, **change}, [key_of(record)]) == code


@pytest.mark.parametrize("name", [
    "/etc/passwd", "../../etc/passwd", "meta-%d-/../../etc/passwd" % os.getuid(), "meta-%d-.." % os.getuid(), "passwd", "meta-%d-x\0y" % os.getuid(),
    "meta-%d-1-1-1-1" % (os.getuid() + 1), "meta-%d-é" % os.getuid(), "meta-%d-" % os.getuid() + "a" * 255, "meta-%d-a b" % os.getuid(), ".", "",
])
def test_names_that_are_none(shop, record, name):
    assert shop.refuse({**record, "segment": name}) == "buffer/forged"
    assert shop.refuse({**record, "segment": name, "shape": [0]}) == "buffer/forged"


def test_a_segment_that_is_gone(shop, record):
    os.unlink(FOLDER + record["segment"])
    assert shop.refuse(record) == "buffer/stale"


@pytest.mark.parametrize("make", [
    lambda path: os.symlink("/etc/passwd", path), os.mkdir, os.mkfifo, lambda path: socket.socket(socket.AF_UNIX).bind(path),
    lambda path: write(path[len(FOLDER):], b"x" * 8000, 0o640), lambda path: write(path[len(FOLDER):], b"x" * 8000, 0o604),
])
def test_files_that_are_no_segments(shop, record, make):
    os.unlink(FOLDER + record["segment"])
    make(FOLDER + record["segment"])
    assert shop.refuse(record) == "buffer/forged"
    if os.path.isdir(FOLDER + record["segment"]):
        os.rmdir(FOLDER + record["segment"])


def test_a_file_of_another_user(shop, record):
    if os.getuid() != 0:
        return  # only root gives files away
    os.chown(FOLDER + record["segment"], 12345, 12345)
    assert shop.refuse(record) == "buffer/forged"


@pytest.mark.parametrize("size,code", [(0, "buffer/range"), (7999, "buffer/range"), (8000, None), (8001, None)])
def test_short_files(shop, record, size, code):
    os.truncate(FOLDER + record["segment"], size)
    if code:
        assert shop.refuse(record) == code
    else:
        shop.bind("x", record)
        assert json.loads(shop.run("x.size")) == 1000


def test_records_of_ours_that_are_wrong(shop):
    record = shop.publish("a = meta.empty(1000); a")
    number = shop.hold("object()")
    assert shop.refuse({**record, "ref": number}) == "buffer/forged"
    assert shop.refuse({**record, "segment": record["segment"][:-1] + "x"}) == "buffer/forged"
    assert shop.refuse({**record, "generation": 2}) == "buffer/stale"
    assert shop.refuse({**record, "ref": 10**9}) == "buffer/stale"
    assert shop.refuse({**record, "shape": [2000]}) == "buffer/range"
    assert shop.refuse({**record, "mutable": True}) == "buffer/forged"
    assert shop.refuse({**record, "strides": [-8]}) == "buffer/range"


def test_one_number_is_one_thing(shop, record):
    shop.bind("x", record)
    assert shop.refuse({**record, "segment": shop.make(numpy.zeros(1000))["segment"]}) == "buffer/forged"
    handle = {"_type": "Ref", **{name: record[name] for name in ("owner", "generation", "ref", "type")}, "repr": "", "callable": False}
    assert shop.refuse(handle) == "wire/unreadable"
    shop.request("set", {**handle, "ref": 10**6}, path=["h"], refs=[["js", 1, 10**6]])
    assert shop.refuse({**record, "ref": 10**6}) == "buffer/forged"


@pytest.mark.parametrize("tag", ["Bytes", "Text"])
@pytest.mark.parametrize("change,code", [
    ({"length": 8001}, "buffer/range"), ({"offset": 1}, "buffer/range"), ({"length": -1}, "wire/unreadable"), ({"length": True}, "wire/unreadable"),
    ({"length": None}, "wire/unreadable"), ({"more": 1}, "wire/unreadable"), ({"segment": "../x"}, "buffer/forged"), ({"length": 1 << 62}, "buffer/range"),
    ({"base64": ""}, "wire/unreadable"),
])
def test_wrong_bytes_and_texts(shop, record, tag, change, code):
    whole = {"_type": tag, **{name: record[name] for name in ("owner", "generation", "ref", "segment")}, "length": 8000}
    assert shop.refuse({**whole, **change}) == code
    assert shop.refuse(whole, []) == "wire/unreadable"
    del whole["length"]
    assert shop.refuse(whole) == "wire/unreadable"


def test_a_text_without_a_segment_is_none(shop):
    assert shop.refuse({"_type": "Text", "value": "x"}, []) == "wire/unreadable"
    assert json.loads(shop.run("meta.Tagged('Text', {'segment': 'x'})"))["_type"] == "Ref"
    assert json.loads(shop.run("meta.Tagged('Bytes', {'segment': 'x'})"))["_type"] == "Ref"
    assert json.loads(shop.run("meta.Tagged('Buffer', {'segment': 'x'})"))["_type"] == "Ref"


def test_refused_segments_are_given_back(shop, record):
    for body in ({**record, "format": "x"}, {**record, "shape": [5000]}, {**record, "shape": [0]}):
        shop.request("status")
        before = len(shop.releases)
        shop.request("set", body, path=["another"], refs=[key_of(record)])
        shop.request("status")
        assert shop.releases[before:] == [[*key_of(record), 1]]


whole = st.one_of(st.integers(-3, 3), st.integers(-9000, 9000), st.integers(-(1 << 65), 1 << 65))
odd = st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=5), whole, st.lists(whole, max_size=3), st.dictionaries(st.text(max_size=3), whole, max_size=2))
FORMATS = ["bool", "int8", "int16", "float16", "float64", "uint64", "complex64", "complex128"]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(format=st.sampled_from(FORMATS), shape=st.lists(st.one_of(st.integers(0, 9), whole), max_size=5), strides=st.none() | st.lists(whole, max_size=5),
       offset=st.none() | st.integers(0, 8200) | whole, changes=st.dictionaries(st.sampled_from(
           ["format", "shape", "strides", "offset", "segment", "owner", "generation", "ref", "mutable", "name", "type", "language", "base64", "more"]), odd, max_size=1))
def test_hostile_layouts(shop, format, shape, strides, offset, changes):
    """Each is read as what NumPy says that it is, or refused with one of four codes."""
    if not hasattr(shop, "target"):
        shop.target = shop.make(numpy.arange(1000.0))
        shop.raw = contents(shop.target).tobytes()
    record = {**shop.target, "format": format, "shape": shape}
    record.update({name: value for name, value in (("strides", strides), ("offset", offset)) if value is not None})
    record.update(changes)
    header, _ = shop.request("set", record, path=["x"], refs=[key_of(shop.target)])
    if header["op"] == "err":
        assert header["code"] in ("wire/unreadable", "buffer/range", "buffer/forged", "buffer/stale"), header
        return
    _, value = shop.value("[str(x.dtype), list(x.shape), x.tobytes().hex()] if isinstance(x, np.ndarray) else None", share="none")
    if value and "segment" in record and not changes:
        wanted = numpy.ndarray(shape, format, shop.raw, offset or 0, strides) if 0 not in shape else numpy.empty(shape, format)
        assert value == [format, shape, wanted.tobytes().hex()]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(format=st.sampled_from(FORMATS), shape=st.lists(st.integers(0, 5), max_size=4), cut=st.integers(-1, 1), text=st.none() | st.text(max_size=12))
def test_hostile_inline_arrays(shop, format, shape, cut, text):
    size = numpy.empty(shape, format).nbytes
    data = base64.b64encode(bytes(max(0, size + cut))).decode() if text is None else text
    header, _ = shop.request("set", {"_type": "Buffer", "format": format, "shape": shape, "base64": data}, path=["x"])
    good = data == base64.b64encode(base64.b64decode(data + "====")).decode() if text is None else False
    assert header["op"] == "ret" or header["code"] == "wire/unreadable"
    assert (header["op"] == "ret") == (len(data) == len(base64.b64encode(bytes(size))) and good and max(0, size + cut) == size) or text is not None


def test_bytes_of_noise(shop):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    generator = random.Random(seed)
    body = json.dumps(shop.make(numpy.zeros(1000))).encode()
    for _ in range(500):
        noise = bytearray(body)
        for _ in range(generator.randrange(1, 4)):
            noise[generator.randrange(len(noise))] = generator.randrange(256)
        header, _ = shop.request("set", bytes(noise), path=["x"], refs=[["js", 1, shop.numbers]])
        assert header["op"] == "ret" or header["code"].split("/")[0] in ("wire", "buffer", "value", "session"), header


# ------------------------------------------------------------------------------------------------ odd ways to lend


TENSOR = """
class Tensor:
    def __init__(self, data, device=1): self.data, self.device = data, device
    def __dlpack__(self, **keywords): return self.data.__dlpack__(**keywords)
    def __dlpack_device__(self): return (self.device, 0)
"""


def test_tensors(shop):
    record = shop.publish(TENSOR + "t = Tensor(np.arange(1000.0)); t")
    assert record["type"] == "Tensor" and numpy.array_equal(contents(record), numpy.arange(1000.0))
    assert shop.value("t")[1]["repr"].startswith("<Tensor") or shop.value("t")[1]["type"] == "Tensor"
    assert shop.value("Tensor(np.arange(1000.0), device=2)", share="publish")[1]["_type"] == "Ref"
    assert shop.value("Tensor(None)", share="publish")[1]["_type"] == "Ref"
    foreign = shop.make(numpy.arange(1000.0))
    shop.bind("x", foreign)
    back = shop.publish("Tensor(x[10:])")
    assert back["segment"] == foreign["segment"] and back["offset"] == 80


IMAGES = """
import sys, types
sys.modules['PIL'] = types.ModuleType('PIL')
module = sys.modules['PIL.Image'] = types.ModuleType('PIL.Image')
class Image:
    def __init__(self, mode, width, height, data): self.mode, self.width, self.height, self.data = mode, width, height, data
    def tobytes(self): return self.data
    def convert(self, mode): return Image(mode, self.width, self.height, bytes(255 * (n % 2) for n in range(self.width * self.height)))
module.Image = Image
class Photo(Image): pass
"""


@pytest.mark.parametrize("code,format,shape,name", [
    ("Image('L', 100, 50, bytes(5000))", "uint8", [50, 100], "ImageGray"), ("Photo('RGB', 100, 50, bytes(15000))", "uint8", [50, 100, 3], "ImageRGB"),
    ("Image('RGBA', 100, 50, bytes(20000))", "uint8", [50, 100, 4], "ImageRGBA"), ("Image('1', 100, 50, b'')", "bool", [50, 100], None),
    ("Image('I;16', 100, 50, bytes(10000))", "uint16", [50, 100], None), ("Image('F', 100, 50, bytes(20000))", "float32", [50, 100], None),
])
def test_images(shop, code, format, shape, name):
    shop.run(IMAGES)
    record = shop.publish(code)
    assert [record["format"], record["shape"], record.get("name")] == [format, shape, name]
    _, live = shop.value(code)
    assert [live["format"], live["shape"]] == [format, shape] and "segment" not in live
    assert shop.value("Image('CMYK', 100, 50, b'')", share="publish")[1]["_type"] == "Ref"
    shared = shop.publish("meta.share(%s)" % code)
    assert shared.get("name") == name and numpy.array_equal(contents(shared), contents(record))


def test_objects_that_lie_about_their_memory(shop):
    shop.run("""
class Meta(type):
    def __getattr__(self, name): return 1 / 0
class ndarray(metaclass=Meta): pass
class View: __module__ = 'meta'
class Image: pass
class Broken:
    def __dlpack__(self): raise SystemExit
    def __dlpack_device__(self): return None
""")
    for code in ("ndarray()", "View()", "Image()", "Broken()", "meta.View"):
        assert shop.value(code, share="publish")[1]["_type"] == "Ref", code


def test_booleans_are_zero_or_one(shop):
    assert set(contents(shop.publish("np.arange(4096).astype('u1').view(bool)")).view("u1").ravel()) == {0, 1}
    assert set(contents(shop.publish("np.arange(100).astype('u1').view(bool)[::2]")).view("u1").ravel()) == {0, 1}


def test_status_counts_segments():
    shop = Shop()
    try:
        assert json.loads(shop.request("status")[1])["segments"] == 0
        shop.publish("bytearray(5000)")
        status = json.loads(shop.request("status")[1])
        assert (status["segments"], status["bytes"]) == (1, 5000)
    finally:
        shop.finish()
