"""Two Python kernels with one meta between them, as far as tables need it: what one sends the other is given as it came."""

import os
import sys

from driver import Kernel
from peer_py import Peer
from segments import FOLDER, LIMIT, files


class Pair:
    """`one` makes tables, `other` receives them."""

    def __init__(self, launch=(sys.executable,), other=None):
        self.family = "meta-%d-%d-%s-" % (os.getuid(), os.getpid(), os.urandom(4).hex())
        self.one = Peer("py", launch, session="one", segments=self.family + "1-", limit=LIMIT)
        self.other = Peer("py", other or launch, session="other", segments=self.family + "2-", limit=LIMIT)

    def run(self, code):
        for kernel in (self.one, self.other):
            kernel.run(code)

    def publish(self, code, kernel=None):
        """(refs, record) of a value that crosses."""
        header, record = (kernel or self.one).evaluate(code, None, b"", [], share="publish")
        assert header["op"] == "ret", header
        return header.get("refs", []), record

    def send(self, code, name):
        """Gives what code of one is worth to the other under a name; the record."""
        refs, record = self.publish(code)
        self.bind(self.other, name, refs, record)
        return record

    def back(self, code, name):
        """The same from the other to one."""
        refs, record = self.publish(code, self.other)
        self.bind(self.one, name, refs, record)
        return record

    @staticmethod
    def bind(kernel, name, refs, record):
        header, _ = kernel.request("set", record, path=[name], refs=refs)
        assert header["op"] == "ret", header

    def check(self, code):
        """Runs assertions in the one."""
        header, _ = self.one.evaluate(code, None, b"", [])
        assert header["op"] == "ret", header

    def finish(self):
        try:
            self.one.close()
            self.other.close()
            assert files(self.family) == []
        finally:
            for name in files(self.family):
                os.unlink(FOLDER + name)
