"""Spawns a kernel as meta does: socket pairs on 3 and 4, pipes on 1 and 2, null on 0, a process group of its own."""

import fcntl
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import tempfile
import time

FILES = pathlib.Path(__file__).resolve().parents[2] / "Sources" / "CKernels" / "files"
CACHE = tempfile.mkdtemp(prefix="meta-kernels-")
DEADLINE = 15.0  # seconds for any one reply

LAUNCH_PYTHON = (
    "import sys as s;p=s.path;p.insert(0,%r);w=s.dont_write_bytecode;s.dont_write_bytecode=False;"
    "import _meta_kernel as k;s.dont_write_bytecode=w;p.pop(0);k.main()"
)
LAUNCH_SHELL = '. "$1"; builtin eval "$__meta_main"'


def command(language):
    if language == "py":
        shutil.copy(FILES / "kernel.py", CACHE + "/_meta_kernel.py")
        for part in ("buffers", "images", "tables"):
            shutil.copy(FILES / (part + ".py"), CACHE + "/_meta_%s.py" % part)
        return [os.environ.get("META_PYTHON", "python3"), "-c", LAUNCH_PYTHON % CACHE]
    if language == "sh":
        return [os.environ.get("META_BASH", "bash"), "--norc", "--noprofile", "-c", LAUNCH_SHELL, "sh", str(FILES / "kernel.sh")]
    for name in ("kernel.js", "buffers.js", "tables.js", "mapping.c"):
        shutil.copy(FILES / name, CACHE)
    return [os.environ.get("META_NODE", "node"), CACHE + "/kernel.js"]


def has_more(end, stream):
    """Whether part of a frame was read from a socket together with the last one."""
    end.setblocking(False)
    more = bool(stream.peek(1))
    end.settimeout(DEADLINE)
    return more


class Kernel:
    """
    One running kernel; `hello` is its first header. Replies are (header, body bytes). `segments` is how the names of its
    segments begin, `limit` their bytes; without it the kernel makes none.
    """

    def __init__(self, language, launch=(), **init):
        """`launch` stands in front of the kernel's own arguments; `init` are further fields of that message."""
        self.language = language
        self.requests, requests = socket.socketpair()
        self.upward, upward = socket.socketpair()
        self.out, out = os.pipe()
        self.err, err = os.pipe()
        null = os.open(os.devnull, os.O_RDONLY)
        high = [fcntl.fcntl(n, fcntl.F_DUPFD_CLOEXEC, 20) for n in (null, out, err, requests.fileno(), upward.fileno())]
        arguments = command(language)
        arguments = [*(launch or arguments[:1]), *arguments[1:]]
        self.pid = os.posix_spawnp(
            arguments[0], arguments, os.environ, setpgroup=0,
            file_actions=[(os.POSIX_SPAWN_DUP2, number, place) for place, number in enumerate(high)],
        )
        for number in (null, out, err, *high):
            os.close(number)
        requests.close()
        upward.close()
        self.requests.settimeout(DEADLINE)
        self.stream = self.requests.makefile("rb")
        self.count = 0
        self.alive = True
        self.released = []
        self.hello, _ = self.receive()
        self.send({"op": "init", "version": "0", "session": language, "generation": 1, "directory": os.getcwd(), **init})

    def send(self, header, body=b""):
        text = json.dumps(header).encode()
        self.requests.sendall(b"%08x%08x%b%b" % (len(text), len(body), text, body))

    def receive(self):
        """The next reply. What the kernel gives back, unsolicited and at any time, is kept in `released`."""
        frame = None
        while frame is None:
            frame = self.receive_one()
        return frame

    def receive_one(self):
        """The next frame, None when it was a release."""
        prefix = self.stream.read(16)
        assert len(prefix) == 16, "the kernel ended: " + self.errors()
        header = json.loads(self.stream.read(int(prefix[:8], 16)))
        body = self.stream.read(int(prefix[8:], 16))
        if header["op"] != "release":
            return header, body
        self.released += map(tuple, header["refs"])
        return None

    def start(self, op, body=b"", **fields):
        """Sends a request and returns its id."""
        self.count += 1
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send({"op": op, "id": self.count, **fields}, body)
        return self.count

    def request(self, op, body=b"", **fields):
        identity = self.start(op, body, **fields)
        header, value = self.receive()
        while header["re"] is not None and header["re"] < identity:
            header, value = self.receive()  # a reply whose request was answered before: dropped, as meta does
        assert header["re"] == identity, header
        return header, value

    def run(self, code, **names):
        """Evaluates source that must succeed; the body as bytes."""
        header, body = self.request("eval", names or b"", code=code, name=self.source())
        assert header["op"] == "ret", header
        return body

    def fail(self, code):
        """Evaluates source that must fail; the header of the error."""
        header, body = self.request("eval", code=code, name=self.source())
        assert header["op"] == "err", (header, body)
        return header

    def source(self):
        return "<%s %d>" % (self.language, self.count + 1)

    def call(self, path, *arguments, **keywords):
        return self.request("call", [list(arguments), keywords], path=path.split("."))

    def interrupt(self):
        os.killpg(self.pid, signal.SIGINT)

    def interrupt_until_reply(self):
        """Signals again each quarter second, as meta does: Node loses a signal that meets the end of a burst."""
        end = time.monotonic() + DEADLINE
        while True:
            self.interrupt()
            if select.select([self.requests], [], [], 0.25)[0]:
                return self.receive()
            assert time.monotonic() < end, "no reply to an interrupt"

    def read_output(self, wanted, descriptor=None):
        """Reads standard output until it ends with `wanted`."""
        descriptor = self.out if descriptor is None else descriptor
        text, end = b"", time.monotonic() + DEADLINE
        while not text.endswith(wanted):
            ready, _, _ = select.select([descriptor], [], [], max(0, end - time.monotonic()))
            assert ready, "no %r in %r" % (wanted, text)
            more = os.read(descriptor, 4096)
            assert more, text
            text += more
        return text

    def errors(self):
        os.set_blocking(self.err, False)
        try:
            return os.read(self.err, 65536).decode(errors="replace")
        except BlockingIOError:
            return ""

    def wait(self):
        self.alive = False
        return os.waitpid(self.pid, 0)[1]

    def close(self):
        for socket_end in (self.stream, self.requests, self.upward):
            socket_end.close()
        if self.alive:
            end = time.monotonic() + DEADLINE
            while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                if time.monotonic() > end:
                    os.kill(self.pid, signal.SIGKILL)
                    self.wait()
                    raise AssertionError("the kernel outlived its socket")
                time.sleep(0.005)
        os.close(self.out)
        os.close(self.err)
