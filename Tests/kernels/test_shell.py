"""The bash kernel alone: plain fields, and what it asks on descriptor 4."""

import contextlib
import os
import select
import time

import pytest

from driver import DEADLINE, Kernel


def fields(*values):
    return b"".join(b"%d:%b," % (len(v), v) for v in (str(v).encode() if not isinstance(v, bytes) else v for v in values))


def split(data):
    values = []
    while data:
        count, _, data = data.partition(b":")
        values.append(data[:int(count)].decode())
        assert data[int(count):int(count) + 1] == b","
        data = data[int(count) + 1:]
    return values


def pairs(data):
    values = split(data)
    return dict(zip(values[::2], values[1::2]))


class Shell(Kernel):
    """Headers are dictionaries of text; bodies bytes. `ask` and `answer` are meta's side of descriptor 4."""

    def __init__(self):
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):  # meta closes them too; the kernel counts on the places from 10 on
                os.set_inheritable(int(name), int(name) < 3)
        super().__init__("sh")
        self.upward.settimeout(DEADLINE)
        self.above = self.upward.makefile("rb")

    def frame(self, header, body):
        text = fields(*[part for pair in header.items() for part in pair])
        return b"%08x%08x%b%b" % (len(text), len(body), text, body)

    def send(self, header, body=b""):
        self.requests.sendall(self.frame(header, body))

    def receive(self, stream=None):
        stream = stream or self.stream
        prefix = stream.read(16)
        assert len(prefix) == 16, "the kernel ended: " + self.errors()
        return pairs(stream.read(int(prefix[:8], 16))), stream.read(int(prefix[8:], 16))

    def upcall(self):
        header, body = self.receive(self.above)
        return header, split(body)

    def answer(self, header, *values):
        self.upward.sendall(self.frame(header, fields(*values)))

    def close(self):
        self.above.close()
        super().close()

    def interrupt_inner(self):
        """Signals again each quarter second, as meta does: a command that starts just then is born too late for the first."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            self.interrupt()
            if select.select([self.upward], [], [], 0.25)[0]:
                return self.receive(self.above)
        raise AssertionError("no reply to an interrupt")

    def reply(self):
        header, _ = self.receive()
        return header

    def output(self):
        os.set_blocking(self.out, False)
        try:
            return os.read(self.out, 65536).decode()
        except BlockingIOError:
            return ""


@pytest.fixture
def sh():
    kernel = Shell()
    yield kernel
    kernel.close()


@pytest.mark.parametrize("code, header, body", [
    ("meta call py.f 'a b' é", {"op": "call", "path": "py.f", "kinds": "tt"}, ["a b", "é"]),
    ("meta call -j f 1 '[2]'", {"op": "call", "path": "f", "kinds": "jj"}, ["1", "[2]"]),
    ("meta call f", {"op": "call", "path": "f", "kinds": ""}, []),
    ("printf 'a\\0' | meta call f x -", {"op": "call", "path": "f", "kinds": "ts"}, ["x", "YQA="]),
    ("printf a | meta call -b f -", {"op": "call", "path": "f", "kinds": "b"}, ["YQ=="]),
    ("meta call -- f - -j", {"op": "call", "path": "f", "kinds": "tt"}, ["-", "-j"]),
    ("meta eval py $'x\\n' x=a=b _y=", {"op": "eval", "language": "py", "kinds": "ttt"}, ["x\n", "x", "a=b", "_y", ""]),
    ("meta eval -j py x x=1", {"op": "eval", "language": "py", "kinds": "tj"}, ["x", "x", "1"]),
    ("meta get py.x", {"op": "get", "path": "py.x", "kinds": ""}, []),
    ("meta set py.x -5", {"op": "set", "path": "py.x", "kinds": "t"}, ["-5"]),
])
def test_what_is_asked(sh, code, header, body):
    identity = sh.start("eval", code=code, name="<sh>")
    asked, values = sh.upcall()
    number = asked.pop("id")
    assert (asked, values) == (header | {"for": str(identity)}, body)
    sh.answer({"op": "ret", "re": number}, "the answer")
    assert sh.reply() == {"op": "ret", "re": str(identity), "status": "0"}
    assert sh.output() == ("" if header["op"] == "set" else "the answer\n")


@pytest.mark.parametrize("error, status, told", [
    ({"code": "runtime/raised", "type": "ValueError", "message": "no: é"}, "1", "meta: runtime/raised: ValueError: no: é\n"),
    ({"code": "runtime/missing", "type": "", "message": "no f"}, "1", "meta: runtime/missing: no f\n"),
    ({"code": "runtime/status", "message": "ended", "status": "7"}, "7", "meta: runtime/status: ended\n"),
    ({"code": "runtime/raised", "message": "ended", "status": "7"}, "1", "meta: runtime/raised: ended\n"),
])
def test_errors_are_statuses(sh, error, status, told):
    sh.start("eval", code="meta call f", name="<sh>")
    asked, _ = sh.upcall()
    sh.answer({"op": "err", "re": asked["id"]} | error)
    assert (sh.reply()["status"], sh.output(), sh.errors()) == (status, "", told)


def test_an_interrupted_answer_interrupts_the_command(sh):
    for code in ["meta call f; echo no", "x=$(meta call f); echo no", "meta call f | cat; echo no"]:
        sh.start("eval", code=code, name="<sh>")
        asked, _ = sh.upcall()
        sh.answer({"op": "err", "re": asked["id"], "code": "runtime/interrupted", "message": "interrupted"})
        reply = sh.reply()
        assert (reply["code"], reply["status"], sh.output()) == ("runtime/interrupted", "130", "")


def test_who_waits_ignores_interrupts(sh):
    sh.start("eval", code="meta call f; echo yes", name="<sh>")
    asked, _ = sh.upcall()
    sh.interrupt()
    sh.answer({"op": "ret", "re": asked["id"]})
    assert (sh.reply()["status"], sh.output()) == ("0", "yes\n")


def test_requests_are_served_while_waiting(sh):
    outer = sh.start("eval", code="v=1; x=$(meta call f); echo $x $v; meta call g >/dev/null; echo $w", name="<sh>")
    asked, _ = sh.upcall()
    sh.answer({"op": "eval", "id": 50, "code": "echo inner $v $y >&2; exit 3", "name": "<sh>", "in": asked["id"]}, "y", "a b")
    assert sh.receive(sh.above)[0] == {"op": "ret", "re": "50", "status": "3"}
    assert sh.errors() == "inner 1 a b\n"
    sh.answer({"op": "call", "id": 51, "path": "printf", "in": asked["id"]}, "%s", "to the session")
    assert sh.receive(sh.above)[0]["status"] == "0" and sh.output() == "to the session"
    sh.answer({"op": "get", "id": 52, "path": "v", "in": asked["id"]})
    assert sh.receive(sh.above)[1] == fields("1")
    sh.answer({"op": "ret", "re": asked["id"]}, "done")
    asked, _ = sh.upcall()
    assert sh.output() == "done 1\n"
    sh.answer({"op": "eval", "id": 53, "code": "w=kept; echo shown", "name": "<sh>", "in": asked["id"]})
    assert sh.receive(sh.above)[0]["status"] == "0" and sh.output() == "shown\n"
    sh.answer({"op": "ret", "re": asked["id"]}, "hidden")
    assert sh.reply()["re"] == str(outer) and sh.output() == "kept\n"


def test_an_inner_request_is_interrupted_alone(sh):
    sh.start("eval", code="meta call f; echo on", name="<sh>")
    asked, _ = sh.upcall()
    for code in ["echo go; sleep 100; echo no", "echo go; while :; do :; done", "f() { echo go; sleep 100; echo no; }; f"]:
        sh.answer({"op": "eval", "id": 50, "code": code, "name": "<sh>", "in": asked["id"]})
        sh.read_output(b"go\n")
        assert sh.interrupt_inner()[0]["code"] == "runtime/interrupted"
        assert sh.output() == ""
    sh.answer({"op": "ret", "re": asked["id"]})
    assert sh.reply()["status"] == "0" and sh.output() == "on\n"


def test_calls_within_calls(sh):
    sh.start("eval", code="meta call f; echo end", name="<sh>")
    numbers = []
    for depth in range(40):
        asked, _ = sh.upcall()
        numbers.append(asked["id"])
        sh.answer({"op": "eval", "id": 100 + depth, "code": "meta call f; echo %d" % depth, "name": "<sh>", "in": asked["id"]})
    asked, _ = sh.upcall()
    sh.answer({"op": "ret", "re": asked["id"]})
    for depth in reversed(range(40)):
        assert sh.receive(sh.above)[0]["re"] == str(100 + depth) and sh.output() == "%d\n" % depth
        sh.answer({"op": "ret", "re": numbers[depth]})
    assert sh.reply()["status"] == "0" and sh.output() == "end\n"


def test_processes_take_turns(sh):
    sh.start("eval", code="for i in {1..10}; do meta call f $i & done; wait", name="<sh>")
    seen = set()
    for _ in range(10):
        asked, values = sh.upcall()
        seen.add(values[0])
        sh.answer({"op": "ret", "re": asked["id"]}, values[0])
    assert sh.reply()["status"] == "0" and sorted(map(int, seen)) == list(range(1, 11))
    assert sorted(sh.output().split()) == sorted(seen)


def test_an_answer_for_a_dead_process_is_passed_over(sh):
    sh.start("eval", code="(meta call f) & wait $!; meta call g", name="<sh>")
    first, _ = sh.upcall()
    os.kill(int(first["id"]) >> 20, 9)
    second, _ = sh.upcall()
    sh.answer({"op": "ret", "re": first["id"]}, "late")
    sh.answer({"op": "ret", "re": second["id"]}, "in time")
    assert sh.reply()["status"] == "0" and sh.output() == "in time\n"


def test_children_inherit_nothing(sh):
    sh.start("eval", code="bash -c 'echo /proc/self/fd/*'; exec 3>&1 4>&1 9>&1; echo a >&9", name="<sh>")
    assert sh.reply()["status"] == "0"
    first, second = sh.output().splitlines()
    assert len(first.split()) == 4 and second == "a"


def test_exit_keeps_the_session(sh):
    for code, status in [("v=1; exit 7", 7), ("f() { exit; }; (exit 3); f", 3), ("(exit 4)", 4), ("echo $v; exit 256", 0)]:
        sh.start("eval", code=code, name="<sh>")
        assert sh.reply()["status"] == str(status)
    assert sh.output() == "1\n"
