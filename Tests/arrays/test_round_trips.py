"""The round trip property: what comes home is bit-equal, with its format and shape, whoever carried it.

`META_SEED` repeats a run; `META_TRIPS` is how many arrays go through each chain (12 unless told).
"""

import base64
import json
import os
import random
import sys

import pytest
from arraymeta import Meta

SEED = int(os.environ.get("META_SEED") or random.randrange(2**32))
COUNT = int(os.environ.get("META_TRIPS") or 12)

FORMATS = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split()
SIZES = dict(zip(FORMATS, [1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 8, 16]))

# What numbers of each family are worth trying: as bytes, little-endian.
FLOATS = {
    2: ["007c", "00fc", "0080", "0000", "017e", "01fd", "ff7d", "0100", "ff03", "ff7b"],
    4: ["0000807f", "000080ff", "00000080", "00000000", "0100c07f", "010080ff", "adde867f", "01000000", "ffff7f00", "ffff7f7f"],
    8: ["000000000000f07f", "000000000000f0ff", "0000000000000080", "0000000000000000", "010000000000f87f", "010000000000f0ff", "addeadbeaddef47f", "0100000000000000", "ffffffffffff0f00", "ffffffffffffef7f"],
}  # fmt: skip

# Both languages say what they have by these two: format, shape, and the md5 of the bytes in C order.
PYTHON = r"""
import hashlib, json, base64, sys, _meta_kernel
try: import numpy as np
except ImportError: np = None
def build(text):
    d = json.loads(text)
    data, strides = bytearray(base64.b64decode(d['data'])), d['strides']
    if np is not None:
        kind = np.dtype(d['dtype'])
        return np.ndarray(tuple(d['shape']), kind, data, d['offset'], tuple(strides))
    return memoryview(data).cast(d['letter'], d['shape']) if 0 not in d['shape'] else np
def say(a):
    if np is not None and isinstance(a, np.ndarray):
        return told(a.dtype.name, a.shape, np.ascontiguousarray(a.astype(a.dtype.newbyteorder('<'))).tobytes())
    return told(NAMES[a.format] if isinstance(a, memoryview) else a.format, a.shape, a.tobytes())
def told(*facts): return facts[0] + '|' + ','.join(map(str, facts[1])) + '|' + hashlib.md5(facts[2]).hexdigest()
NAMES = {'?':'bool','b':'int8','h':'int16','i':'int32','q':'int64','l':'int64','B':'uint8','H':'uint16','I':'uint32','Q':'uint64','L':'uint64','f':'float32','d':'float64'}
"""
SCRIPT = r"""
globalThis.names = { Int8Array: 'int8', Int16Array: 'int16', Int32Array: 'int32', BigInt64Array: 'int64', Uint8Array: 'uint8', Uint16Array: 'uint16',
  Uint32Array: 'uint32', BigUint64Array: 'uint64', Float32Array: 'float32', Float64Array: 'float64' };
globalThis.digest = (a) => require('crypto').createHash('md5').update(Buffer.from(a.buffer, a.byteOffset, a.byteLength)).digest('hex');
// Of 16-bit floats Node has no array: their bytes are compared where they come home.
globalThis.say = (a) => `${a.format ?? names[a.constructor.name]}|${(a.shape ?? [a.length]).join(',')}|`
  + (a.format === 'float16' && a instanceof meta.View ? '' : digest(a instanceof meta.View ? a.toTypedArray() : a));
globalThis.build = (text) => {
  const d = JSON.parse(text);
  const data = new Uint8Array(Buffer.from(d.data, 'base64'));
  const made = meta.empty(d.shape, d.format);
  if (made.byteLength !== undefined) new Uint8Array(made.buffer, made.byteOffset, made.byteLength).set(data);
  return made.byteLength === undefined ? null : made;
};
"""
LOAD = {"py": "(py \"exec(open('setup.py').read())\")", "js": "(js \"(0, eval)(require('fs').readFileSync('setup.js', 'utf8')); 0\")"}


class Array:
    """A random array: its bytes as they lie, and what they mean in C order."""

    def __init__(self, chance, plain=False):
        import numpy as np

        self.format = chance.choice(FORMATS)
        self.size = SIZES[self.format]
        rank = chance.choice([0, 1, 1, 2, 2, 3, 4, 5, 32 if chance.random() < 0.3 else 3])
        self.shape = [chance.choice([1, 1, 1, 1, 1, 1, 2]) if rank == 32 else chance.choice([1, 2, 3, 7, 20]) for _ in range(rank)]
        if rank and chance.random() < 0.1:
            self.shape[chance.randrange(rank)] = 0
        count = int(np.prod(self.shape, dtype=object)) if rank else 1
        while count > 200_000:
            self.shape[self.shape.index(max(self.shape))] = 1
            count = int(np.prod(self.shape, dtype=object))
        if rank == 1 and chance.random() < 0.5:
            self.shape, count = [chance.randrange(2000, 9000)], None
            count = self.shape[0]
        data = self.items(chance, count)
        kind = self.format.replace("bool", "?")
        array = np.frombuffer(data, kind).reshape(self.shape) if count else np.zeros(self.shape, kind)
        self.data = array.tobytes()
        self.order = "C" if plain else chance.choice(["C", "C", "F", "negative", "offset", "apart", "big"])
        self.array = self.arranged(array, chance, np)
        assert np.ascontiguousarray(self.array).astype(kind).tobytes() == self.data

    def items(self, chance, count):
        if self.format == "bool":
            return bytes(chance.randrange(2) for _ in range(count))
        if self.format[0] in "fc":
            width = self.size // (2 if self.format[0] == "c" else 1)
            special = [bytes.fromhex(text) for text in FLOATS[width]]
            return b"".join(chance.choice(special) if chance.random() < 0.4 else chance.randbytes(width) for _ in range(count * self.size // width))
        special = [b"\xff" * self.size, bytes(self.size), b"\xff" * (self.size - 1) + b"\x7f", bytes(self.size - 1) + b"\x80"]
        return b"".join(chance.choice(special) if chance.random() < 0.3 else chance.randbytes(self.size) for _ in range(count))

    def arranged(self, array, chance, np):
        """The same items, lying otherwise."""
        if self.order == "F" and array.ndim:
            return np.asfortranarray(array)
        if self.order == "big" and array.dtype.itemsize > 1 and self.format[0] != "c":
            return array.view(array.dtype).byteswap().view(array.dtype.newbyteorder(">"))
        if self.order == "negative" and array.ndim:
            back = tuple(slice(None, None, -1) for _ in array.shape)
            return array[back].copy()[back]
        if self.order == "apart" and array.ndim:
            wide = np.zeros([*array.shape[:-1], 2 * array.shape[-1] + 1], array.dtype)
            wide[..., 1 : 2 * array.shape[-1] : 2] = array
            return wide[..., 1 : 2 * array.shape[-1] : 2]
        if self.order == "offset" and array.ndim:
            wide = np.zeros([array.shape[0] + 3, *array.shape[1:]], array.dtype)
            wide[3:] = array
            return wide[3:]
        return array

    def text(self):
        """The array as JSON that Python builds it from, its strides and offset included."""
        base = self.array
        low = sum((length - 1) * stride for length, stride in zip(base.shape, base.strides) if stride < 0 and length) if base.size else 0
        high = sum((length - 1) * stride for length, stride in zip(base.shape, base.strides) if stride > 0 and length) if base.size else 0
        import ctypes

        data = ctypes.string_at(base.ctypes.data + low, high - low + base.itemsize) if base.size else b""
        return json.dumps({"data": base64.b64encode(data).decode(), "dtype": base.dtype.str, "shape": list(base.shape), "strides": list(base.strides), "offset": -low, "format": self.format})

    @property
    def said(self):
        import hashlib

        return "|".join([self.format, ",".join(map(str, self.shape)), hashlib.md5(self.data).hexdigest()])


@pytest.fixture(scope="module")
def carriers(tmp_path_factory):
    """A meta with Python, a second Python, one without NumPy, and Node."""
    previous = os.environ.get("META_PYTHON")
    os.environ["META_PYTHON"] = sys.executable
    with Meta(deadline=1200) as meta:
        work = meta.folder / "work"
        (work / "setup.py").write_text(PYTHON)
        (work / "setup.js").write_text(SCRIPT)
        (work / "without").mkdir()
        (work / "without" / "numpy.py").write_text('raise ImportError("there is no NumPy here")\n')
        for form in LOAD.values():
            assert "error" not in meta(form)
        meta('(spawn \'py :as "other")')
        meta(f'(spawn \'py :as "bare" :env {{PYTHONPATH: "{work / "without"}"}})')
        for name in "other", "bare":
            assert "error" not in meta(LOAD["py"].replace("(py ", f"({name} "))
        assert meta('(bare "np is None")') == "true"
        yield meta
        meta.finish("(exit)")
    os.environ.pop("META_PYTHON") if previous is None else os.environ.update(META_PYTHON=previous)


CHAINS = {
    "py → js → py": ["py", "js", "py"], "py → other → py": ["py", "other", "py"], "py → bare → py": ["py", "bare", "py"],
    "py → meta → js → other": ["py", "meta", "js", "other"], "py → js → bare → other": ["py", "js", "bare", "other"],
    "js → py → js → py": ["js", "py", "js", "py"], "js → bare → other": ["js", "bare", "other"], "js → meta → py": ["js", "meta", "py"],
    "meta → py → js → meta → py": ["meta", "py", "js", "meta", "py"],
}  # fmt: skip


@pytest.mark.parametrize("chain", CHAINS)
def test_arrays_come_home(carriers, chain):
    print(f"META_SEED={SEED}")
    for number in range(COUNT):
        go(carriers, CHAINS[chain], f"{SEED} {chain} {number}")


def go(meta, chain, seed):
    chance = random.Random(seed)
    array = Array(chance, plain=chain[0] != "py")
    if chain[0] == "js" and array.format in ("float16", "complex64", "complex128"):
        return  # JavaScript has no arrays of these to begin with
    (meta.folder / "work" / "array.json").write_text(array.text())
    where = f"{seed}: {array.format} {array.shape} {array.order}"
    start = {
        "py": "(py \"x = build(open('array.json').read()); x\")",
        "js": "(js \"globalThis.x = build(require('fs').readFileSync('array.json', 'utf8')); x\")",
        "meta": "(adopt (py \"build(open('array.json').read())\"))",
    }[chain[0]]
    assert "error" not in meta(f"(def x {start})"), where
    for number, step in enumerate(chain[1:], 1):
        if step == "meta":
            assert "error" not in meta("(def x (adopt x))"), where
            continue
        if step != "js":
            check(meta, f'({step} "say(x)" :x x)', array.said, f"{where} at {step} {number}")
        else:
            check(meta, '(js "say(x)" :x x)', array.said, f"{where} at js {number}")
        home = step == chain[0] and "meta" not in chain[1:number]
        if home and step == "js" and 0 not in array.shape and array.array.nbytes >= 2048:
            assert meta('(js "y === globalThis.x" :y x)') == "true", f"{where}: home it is not the same"
        assert "error" not in meta(f'(def x ({step} "y" :y x))'), where


def check(meta, form, expected, where):
    answer = meta(form)
    assert not answer.startswith("error"), (where, answer)
    found = json.loads(answer)
    assert found == expected or found.endswith("|") and expected.startswith(found), where
