"""Plays meta's side of shared memory for one kernel: names a family, looks into segments, makes segments of another session's."""

import base64
import mmap
import os
import sys

import numpy
from peer_py import Peer

FOLDER = "/dev/shm/"
LIMIT = 1 << 30


def files(prefix):
    return sorted(name for name in os.listdir(FOLDER) if name.startswith(prefix))


class Shop(Peer):
    """A Python kernel with shared memory, and with NumPy when this interpreter's packages are what it sees."""

    def __init__(self, launch=(sys.executable,), limit=LIMIT):
        self.family = "meta-%d-%d-%s-" % (os.getuid(), os.getpid(), os.urandom(4).hex())
        super().__init__("py", launch, segments=self.family + "1-", limit=limit)
        self.numbers = 0

    def value(self, code, names=None, refs=(), **fields):
        """(header, value) of source that must succeed."""
        header, value = self.evaluate(code, None, names or b"", [list(one) for one in refs], **fields)
        assert header["op"] == "ret", header
        return header, value

    def error(self, code, names=None, refs=(), **fields):
        header, value = self.evaluate(code, None, names or b"", [list(one) for one in refs], **fields)
        assert header["op"] == "err", (header, value)
        return header

    def publish(self, code):
        """The published record of an array."""
        header, record = self.value(code, share="publish")
        assert record["_type"] == "Buffer", record
        if "segment" in record:
            assert header["shared"] is True and [record["owner"], record["generation"], record["ref"]] in header["refs"]
        return record

    def bind(self, name, record):
        """Binds what a record stands for to a name of the kernel's user."""
        listed = [key_of(record)] if "ref" in record else []
        header, _ = self.request("set", record, path=[name], refs=listed)
        assert header["op"] == "ret", header

    def refuse(self, record, refs=None):
        """The code of the error that a record is answered with."""
        header, _ = self.request("set", record, path=["refused"], refs=[key_of(record)] if refs is None else refs)
        assert header["op"] == "err", header
        assert self.run("1 + 1") == b"2"
        return header["code"]

    def make(self, array, owner="js", mutable=False, **more):
        """The record of a segment of another session's with that array's bytes."""
        self.numbers += 1
        data = array.tobytes()
        name = "%s2-%d-%s" % (self.family, self.numbers, os.urandom(8).hex())
        write(name, data, 0o600 if mutable else 0o400)
        return {"_type": "Buffer", "buffer_id": "%s-1-%d" % (owner, self.numbers), "format": array.dtype.name, "shape": list(array.shape),
                "language": owner, "type": "Float64Array", "owner": owner, "generation": 1, "ref": self.numbers, "segment": name,
                **({"mutable": True} if mutable else {}), **more}

    def own(self):
        """The names of the kernel's segments."""
        return files(self.family + "1-")

    def finish(self):
        """Ends the kernel and what the test made; what the kernel made it has to take away."""
        try:
            self.close()
            assert self.own() == []
        finally:
            for name in files(self.family):
                os.unlink(FOLDER + name)


def write(name, data, mode=0o400):
    descriptor = os.open(FOLDER + name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, data)
    os.fchmod(descriptor, mode)
    os.close(descriptor)


def key_of(record):
    return [record["owner"], record["generation"], record["ref"]]


def contents(record):
    """The array of a record, read as anyone may; it stays as it is when the segment changes only where that is a fault."""
    if "base64" in record:
        data, offset, strides = base64.b64decode(record["base64"]), 0, None
    else:
        with open(FOLDER + record["segment"], "rb") as file:
            data = mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
        offset, strides = record.get("offset", 0), record.get("strides")
    return numpy.ndarray(record["shape"], record["format"], data, offset, strides)
