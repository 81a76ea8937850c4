"""Plays the other side of shared memory: makes segments for a kernel, and reads the records that it sends."""

import base64
import json
import math
import mmap
import os
import pathlib
import struct
import uuid

from driver import Kernel

SHARED = pathlib.Path("/dev/shm")
LIMIT = 1 << 30
CODES = {
    "bool": "?", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
    "float16": "e", "float32": "f", "float64": "d", "complex64": "ff", "complex128": "dd",
}
SIZES = {name: struct.calcsize("<" + code) for name, code in CODES.items()}


class Memory:
    """The segments of one family: `prefix` is how those of the kernel begin."""

    def __init__(self):
        self.family = "meta-%d-%s" % (os.geteuid(), uuid.uuid4().hex[:12])
        self.prefix = self.family + "-3-"
        self.count = 0

    def names(self):
        return sorted(path.name for path in SHARED.iterdir() if path.name.startswith(self.family))

    def make(self, data, mode=0o400):
        """A segment of `py`: its number and name."""
        self.count += 1
        name = "%s-2-%d-%s" % (self.family, self.count, uuid.uuid4().hex[:16])
        (SHARED / name).write_bytes(data)
        os.chmod(SHARED / name, mode)
        return self.count, name

    def record(self, data, format, shape, mode=0o400, **fields):
        """A record of a new segment with these bytes."""
        number, name = self.make(data, mode)
        return {
            "_type": "Buffer", "buffer_id": "py-1-%d" % number, "format": format, "shape": list(shape), "language": "py", "type": "numpy.ndarray",
            "owner": "py", "generation": 1, "ref": number, "segment": name, **fields,
        }

    def array(self, numbers, format="float64", shape=None, **fields):
        return self.record(pack(format, numbers), format, [len(numbers)] if shape is None else shape, **fields)

    def bytes(self, data, tag="Bytes", **fields):
        number, name = self.make(data)
        return {"_type": tag, "owner": "py", "generation": 1, "ref": number, "segment": name, "length": len(data), **fields}

    def remove(self):
        for name in self.names():
            (SHARED / name).unlink(missing_ok=True)


def pack(format, numbers):
    if format.startswith("complex"):
        numbers = [part for number in numbers for part in (number.real, number.imag)]
    return struct.pack("<%d%s" % (len(numbers), CODES[format][0]), *numbers)


def unpack(format, data):
    numbers = struct.unpack("<%d%s" % (len(data) // struct.calcsize(CODES[format][0]), CODES[format][0]), data)
    return [complex(*pair) for pair in zip(numbers[::2], numbers[1::2])] if format.startswith("complex") else list(numbers)


def strides_of(shape, format):
    """Those of C order."""
    strides, step = [], SIZES[format]
    for count in reversed(shape):
        strides.insert(0, step)
        step *= max(count, 1)
    return strides


def items_of(record):
    """The items of a record in C order, as whoever receives it sees them."""
    format, shape = record["format"], record["shape"]
    if "base64" in record:
        return unpack(format, base64.b64decode(record["base64"], validate=True))
    strides, offset = record.get("strides", strides_of(shape, format)), record.get("offset", 0)
    data = read(record["segment"])
    found = []
    for index in range(math.prod(shape)):
        place = offset
        for count, stride in zip(reversed(shape), reversed(strides)):
            index, at = divmod(index, count)
            place += at * stride
        found += unpack(format, data[place:place + SIZES[format]])
    return found


def read(name):
    """What a segment holds, by mapping it."""
    with open(SHARED / name, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return bytes(view)


def refs_in(value):
    """Each object that a value names once, in order: what the header lists."""
    found = []
    if isinstance(value, dict) and isinstance(value.get("owner"), str) and "ref" in value:
        found.append([value["owner"], value["generation"], value["ref"]])
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            found += [each for each in refs_in(item) if each not in found]
    return found


class Arrays(Kernel):
    """A JavaScript kernel that has segments."""

    def __init__(self, memory, limit=LIMIT):
        self.memory = memory
        super().__init__("js", segments=memory.prefix, limit=limit)

    def ask(self, code, names=None, share="publish", **fields):
        """Evaluates; the header and the value."""
        names = names or {}
        body = json.dumps(names).encode() if names else b""
        header, body = self.request("eval", body, code=code, name=self.source(), share=share, **{"refs": refs_in(names), **fields})
        assert header["op"] == "ret", header
        value = json.loads(body)
        assert header.get("refs", []) == refs_in(value)
        return header, value

    def value(self, code, names=None, **fields):
        return self.ask(code, names, **fields)[1]

    def refuse(self, code, names=None, **fields):
        """Evaluates what must fail; the code of the error."""
        names = names or {}
        header, _ = self.request("eval", json.dumps(names).encode(), code=code, name=self.source(), share="publish", **{"refs": refs_in(names), **fields})
        assert header["op"] == "err", header
        return header["code"]

    def give_back(self, *records, times=1):
        self.send({"op": "release", "refs": [[record["owner"], record["generation"], record["ref"], times] for record in records]})

    def status(self):
        return json.loads(self.request("status")[1])
