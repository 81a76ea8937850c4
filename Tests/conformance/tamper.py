"""Stands between meta and Python's kernel, and breaks one rule: its first argument names the fault."""

import fcntl
import json
import os
import pathlib
import select
import signal
import socket
import sys
import tempfile

FILES = pathlib.Path(__file__).resolve().parents[2] / "Sources" / "CKernels" / "files"
FAULT = sys.argv[1]


class Line:
    """Bytes from one socket to another, frame by frame."""

    def __init__(self, source, target, change):
        self.source, self.target, self.change = source, target, change
        self.pending, self.out = bytearray(), bytearray()

    def receive(self):
        piece = self.source.recv(1 << 20)
        self.pending += piece
        while len(self.pending) >= 16:
            header, body = int(self.pending[:8], 16), int(self.pending[8:16], 16)
            if len(self.pending) < 16 + header + body:
                break
            frame = bytes(self.pending[16 : 16 + header]), bytes(self.pending[16 + header : 16 + header + body])
            del self.pending[: 16 + header + body]
            for changed in self.change(*frame):
                self.out += b"%08x%08x%b%b" % (len(changed[0]), len(changed[1]), *changed)
        return bool(piece)

    def send(self):
        del self.out[: self.target.send(self.out[: 1 << 20], socket.MSG_DONTWAIT)]


def header_of(header):
    try:
        fields = json.loads(header)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def keep(header, body):
    return [(header, body)]


# What each fault does to the frames that go down to the kernel, and to those that come up from it. A change is given the
# header as a dictionary (None when it is unreadable) and the frame, and returns frames.
last = {}  # the last request that went down


def down(fault):
    def change(header, body):
        fields = header_of(header)
        last.clear()
        last.update(fields or {})
        frames = fault(fields, header, body) if fault else None
        return [(header, body)] if frames is None else frames

    return change


def up(fault):
    def change(header, body):
        fields = header_of(header)
        frames = fault(fields, body) if fault else None
        return [(header, body)] if frames is None else frames

    return change


def edited(fields, body, **members):
    fields = {**fields, **members}
    return [(json.dumps({name: value for name, value in fields.items() if value is not None}).encode(), body)]


def reply_now(fields, body):
    """Answers by itself, in the kernel's place."""
    raw_up.append((json.dumps(fields).encode(), body))
    return []


raw_up = []

DOWN = {
    "chokes-on-fields": lambda f, h, b: reply_now(
        {"op": "err", "re": f["id"], "code": "wire/unreadable", "message": "colour?"}, b"")
    if f and "colour" in f else None,
    "numbers-what-it-cannot-read": lambda f, h, b: reply_now(
        {"op": "err", "re": 0, "code": "wire/unreadable", "message": "?"}, b"") if h.startswith(b"[") else None,
    "takes-any-body": lambda f, h, b: reply_now({"op": "ret", "re": f["id"], "type": "x"}, b"null") if b == b"1 2" else None,
    "replies-before-it-prints": lambda f, h, b: reply_now(
        {"op": "ret", "re": f["id"], "type": "NoneType", "elapsed": 1}, b"null") + [(h, b)]
    if f and "to-stdout" in f.get("code", "") else None,
    "lists-what-is-unlisted": lambda f, h, b: [(json.dumps({**f, "refs": [["probe", 3, json.loads(b)["ref"]]]}).encode(), b)]
    if f and f.get("op") == "set" and b.startswith(b'{"_type":"Ref"') and "refs" not in f else None,
    "never-drops": lambda f, h, b: [] if f and f.get("op") == "release" else None,
    "hangs": lambda f, h, b: [] if f and f.get("op") == "inspect" else None,
    "dies": lambda f, h, b: os._exit(3) if f and f.get("op") == "inspect" else None,
    "floods": lambda f, h, b: flood() if f and f.get("op") == "inspect" else None,
    "answers-garbage": lambda f, h, b: os.write(10, b"what is a frame?") and [] if f and f.get("op") == "inspect" else None,
}

UP = {
    "odd-version": lambda f, b: edited(f, b, protocol="1") if f["op"] == "hello" else None,
    "invents-operations": lambda f, b: edited(f, b, operations=f["operations"] + ["teleport"]) if f["op"] == "hello" else None,
    "nameless": lambda f, b: edited(f, b, version="") if f["op"] == "hello" else None,
    "hides-an-operation": lambda f, b: edited(f, b, operations=[o for o in f["operations"] if o != "status"])
    if f["op"] == "hello" else None,
    "untyped": lambda f, b: edited(f, b, type=None) if f["op"] == "ret" and last.get("code") == "6 * 7" else None,
    "answers-twice": lambda f, b: edited(f, b) * 2 if last.get("op") == "status" else None,
    "rounds-integers": lambda f, b: edited(f, b"9007199254740992") if b == b"9007199254740993" else None,
    "empties-infinity": lambda f, b: edited(f, b"null") if b == b'{"_type":"Float","value":"Infinity"}' else None,
    "replies-before-it-prints": lambda f, b: [] if f["op"] == "ret" and "to-stdout" in last.get("code", "") else None,
    "keeps-foreign-objects": lambda f, b: [] if f["op"] == "release" else None,
    "forgets-frames": lambda f, b: edited(f, b, frames=[]) if f.get("message") == "conformance boom" and "cause" not in f else None,
    "forgets-frames-of-others": lambda f, b: edited(f, b, frames=f["frames"][:1]) if f.get("message") == "told from above" else None,
    "forgets-causes": lambda f, b: edited(f, b, cause=None) if "cause" in f else None,
    "forgets-paths": lambda f, b: edited(f, b, path=None) if f.get("code") == "value/cycle" else None,
    "misnames-depth": lambda f, b: edited(f, b, code="runtime/raised") if f.get("code") == "value/depth" and "code" in last else None,
    "misnames-what-is-missing": lambda f, b: edited(f, b, message="gone") if f.get("code") == "runtime/missing" and last.get("op") == "get"
    else None,
    "miscounts-items": lambda f, b: edited(f, b'[1,2,3]') if last.get("op") == "items" and b == b"[1,2]" else None,
}


def flood():
    while True:
        os.write(1, b"x" * 65536)


def moved(number):
    """The descriptor at 10 or above, kept from programs; the fault leaves it where it is."""
    if FAULT == "leaves-its-sockets":
        return socket.socket(fileno=number)
    high = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(number)
    return socket.socket(fileno=high)


def pair():
    """Both ends at 10 or above, out of the way of what is graded."""
    ends = socket.socketpair()
    high = [socket.socket(fileno=fcntl.fcntl(end.fileno(), fcntl.F_DUPFD_CLOEXEC, 10)) for end in ends]
    for end in ends:
        end.close()
    return high


def kernel(requests, upcalls):
    folder = tempfile.mkdtemp(prefix="meta-tamper-")
    for part in ("kernel", "buffers", "images", "tables"):
        os.symlink(FILES / f"{part}.py", f"{folder}/_meta_{part}.py")
    code = f"import sys; sys.path.insert(0, {folder!r}); import _meta_kernel; sys.path.pop(0); _meta_kernel.main()"
    # In a group of its own it would outlive this process: PR_SET_PDEATHSIG.
    code = f"import ctypes; ctypes.CDLL(None).prctl(1, {int(signal.SIGKILL)}); {code}" if FAULT == "deaf" else code
    high = [fcntl.fcntl(end.fileno(), fcntl.F_DUPFD_CLOEXEC, 20) for end in (requests, upcalls)]
    actions = [(os.POSIX_SPAWN_DUP2, number, place) for number, place in zip(high, (3, 4))]
    group = {"setpgroup": 0} if FAULT == "deaf" else {}
    child = os.posix_spawn(sys.executable, [sys.executable, "-B", "-c", code], os.environ, file_actions=actions, **group)
    for number in high:
        os.close(number)
    return child


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    meta, upward = moved(3), moved(4)
    (down_end, down_child), (up_end, up_child) = pair(), pair()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the kernel's own start has the default
    child = kernel(down_child, up_child)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    down_child.close()
    up_child.close()
    change_down, change_up = down(DOWN.get(FAULT)), up(UP.get(FAULT))
    answers = Line(down_end, meta, change_up)
    lines = [Line(meta, down_end, change_down), answers, Line(upward, up_end, keep), Line(up_end, upward, keep)]
    while True:
        reading = select.select([line.source for line in lines], [line.target for line in lines if line.out], [])
        for line in lines:
            if line.source in reading[0] and not line.receive():
                if FAULT == "outlives-its-socket":
                    signal.pause()
                os.kill(child, signal.SIGKILL)
                os._exit(0)
            while raw_up:
                header, body = raw_up.pop(0)
                answers.out += b"%08x%08x%b%b" % (len(header), len(body), header, body)
            if line.target in reading[1]:
                line.send()


if __name__ == "__main__":
    assert FAULT in {*DOWN, *UP, "none", "leaves-its-sockets", "deaf", "outlives-its-socket"}, FAULT
    main()
