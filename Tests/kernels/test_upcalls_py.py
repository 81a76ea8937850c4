"""Upcalls of the Python kernel: calls through descriptor 4, requests nested in them, threads, copies, interrupts."""

import json
import select

import pytest
from peer_py import Peer, ref


@pytest.fixture
def py():
    kernel = Peer("py")
    yield kernel
    kernel.close()


F = {"f": ref(7, callable=True)}
REFS = [["js", 1, 7]]


def nested(py, request, meta=None):
    """An answerer that first asks `request(header)` back within the upcall; `replies` are what the kernel said."""
    replies = []

    def answerer(header, body):
        if meta is not None and header["op"] != "call":
            return meta(header, body)
        fields, inner = request(header, body)
        py.send_up({"id": 1000 + header["id"], "in": header["id"], **fields}, inner)
        while True:
            back, value = py.receive_up()
            if back["op"] in ("ret", "err") and back["re"] == 1000 + header["id"]:
                replies.append((back, value))
                return {}, value or b"null"
            py.answer(back, answerer(back, json.loads(value) if value else None))

    return answerer, replies


def test_call_and_eval_by_name(py):
    seen = []

    def meta(header, body):
        seen.append((header["op"], header.get("path"), header.get("language"), header.get("code"), body, header["for"]))
        return {}, 3

    _, value = py.evaluate("import meta\n[meta.call('js.Math.max', 1, k=2), meta.call('name'), meta.eval('js', 'x+1', x=1), meta.call(['a.b'])]", meta)
    assert value == [3, 3, 3, 3]
    assert seen == [("call", ["js", "Math", "max"], None, None, [[1], {"k": 2}], 1), ("call", ["name"], None, None, [[], {}], 1),
                    ("eval", None, "js", "x+1", {"x": 1}, 1), ("call", ["a.b"], None, None, [[], {}], 1)]


def test_upcalls_have_their_own_ids(py):
    ids = []
    py.evaluate("import meta\nfor _ in range(3): meta.call('f')", lambda header, body: (ids.append(header["id"]), ({}, None))[1])
    assert ids == [1, 2, 3]


def test_functions_of_ours_cross_as_refs(py):
    def meta(header, body):
        (function,), _ = body
        assert header["refs"] == [["py", 1, function["ref"]]] and function["callable"]
        return {}, None

    py.evaluate("import meta\nmeta.call('each', lambda x: x)", meta)


def test_a_request_within_an_upcall(py):
    def request(header, body):
        return {"op": "call", "ref": body[0][0]["ref"]}, [[20], {}]

    answerer, replies = nested(py, request)
    assert py.evaluate("import meta\nmeta.call('apply', lambda x: x + 1) * 2", answerer)[1] == 42
    assert replies[0][0]["op"] == "ret" and replies[0][0]["re"] == 1001


def test_it_runs_on_the_thread_that_waits(py):
    py.run("import meta, threading\nout = []\ndef who(): return threading.current_thread().name\ndef work(): out.append(meta.call('f'))")
    answerer, _ = nested(py, lambda header, body: ({"op": "call", "path": ["who"]}, b""))
    py.evaluate("t = threading.Thread(target=work, name='other'); t.start(); t.join()", answerer)
    assert py.run("out") == b'["other"]'


def test_a_hundred_nested_calls(py):
    depth = []

    def request(header, body):
        depth.append(header["for"])
        return {"op": "call", "path": ["down"]}, [[body[0][0] - 1], {}]

    py.run("import meta\ndef down(n): return meta.call('again', n) if n else 'bottom'")
    answerer, _ = nested(py, request)
    header, value = py.evaluate("down(100)", answerer)
    assert value == "bottom" and len(depth) == 100, header
    assert depth[1] == 1001  # each is for the request that its thread works on
    assert py.run("import sys; sys.getrecursionlimit()") == b"1000"


def test_a_recursion_that_ends_in_an_upcall(py):
    py.run("import meta\ndef deep(): \n  meta.call('f')\n  deep()")
    header, _ = py.evaluate("deep()", lambda header, body: ({}, None))
    assert header["type"] == "RecursionError"
    assert py.evaluate("meta.call('f')", lambda header, body: ({}, 1))[1] == 1


def test_threads_call_up_at_once(py):
    py.run("""
import meta, threading
found = {}
def work(n):
    found[n] = [meta.call('square', n) for _ in range(20)]
""")
    py.start("eval", code="ts = [threading.Thread(target=work, args=(n,)) for n in range(8)]\nfor t in ts: t.start()\nfor t in ts: t.join()", name="<x>")
    answered, waiting = 0, []
    while answered < 160:
        waiting.append(py.receive_up())
        while len(waiting) < 8 and select.select([py.upward], [], [], 0.02)[0]:
            waiting.append(py.receive_up())
        header, body = waiting.pop(answered % len(waiting))  # in any order
        py.answer(header, ({}, json.loads(body)[0][0] ** 2))
        answered += 1
        for header, body in reversed(waiting):
            py.answer(header, ({}, json.loads(body)[0][0] ** 2))
        answered += len(waiting)
        waiting.clear()
    assert py.receive()[0]["op"] == "ret"
    assert py.run("all(found[n] == [n * n] * 20 for n in range(8)) and len(found) == 8") == b"true"


def test_a_thread_calls_up_while_the_session_is_idle(py):
    py.run("import meta, threading\nt = threading.Thread(target=lambda: out.append(meta.call('f'))); out = []; t.start()")
    header, _ = py.receive_up()
    assert "for" not in header or header["for"] is None
    py.answer(header, ({}, 5))
    assert py.run("t.join(); out") == b"[5]"


def test_late_and_odd_frames(py):
    def meta(header, body):
        py.send_up({"op": "ret", "re": 99}, 1)
        py.send_up({"op": "ret", "re": "x"}, 1)
        py.send_up({"op": "call", "in": 77, "id": 5, "path": ["abs"]}, [[1], {}])
        assert py.receive_up()[0]["code"] == "wire/unreadable"
        text = b"nonsense"
        py.upward.sendall(b"%08x%08x%b" % (len(text), 0, text))
        assert py.receive_up()[0]["re"] is None
        return {}, 1

    assert py.evaluate("import meta; meta.call('f')", meta)[1] == 1


@pytest.mark.parametrize("answer", [b"[1,", b"\xff", b'{"_type":"Ref","owner":"js","generation":1,"ref":9,"type":"","repr":"","callable":false}', b""])
def test_unreadable_answers_are_errors(py, answer):
    header, _ = py.evaluate("import meta\ntry: meta.call('f')\nexcept meta.Error as e: code = e.code\ncode", lambda h, b: ({}, answer))
    assert header["op"] == "ret"
    assert py.run("code") == b'"wire/unreadable"'


def test_what_cannot_cross_is_the_callers_error(py):
    header, value = py.evaluate("import meta\na = []; a.append(a)\ntry: meta.call('f', a)\nexcept meta.Error as e: x = [e.code, e.path]\nx", None)
    assert value == ["value/cycle", "[0][0][0]"]


def test_a_forked_copy_cannot_reach_meta(py):
    py.run("""
import meta, os
def child():
    try: meta.call('f')
    except meta.Error as e: return 3 if e.code == 'session/forked' else 4
    return 5
""")
    py.request("set", ref(5), path=["x"], refs=[["js", 1, 5]])
    code = "pid = os.fork()\nif not pid:\n  del x\n  os._exit(child())\nos.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])"
    assert py.run(code) == b"3"
    py.request("status")
    assert py.releases == []


def test_an_upcall_from_a_coroutine(py):
    answerer, _ = nested(py, lambda header, body: ({"op": "call", "path": ["late"]}, b""))
    py.run("import meta, asyncio\nasync def late(): return await asyncio.sleep(0.001, 6)\nasync def outer():\n  await asyncio.sleep(0)\n  return meta.call('f') + await asyncio.sleep(0, 1)")
    assert py.evaluate("outer()", answerer)[1] == 7
    assert py.run("late()") == b"6"


def test_a_nested_request_awaits_in_another_thread(py):
    answerer, _ = nested(py, lambda header, body: ({"op": "call", "path": ["late"]}, b""))
    py.run("import meta, asyncio, threading\nasync def late(): return await asyncio.sleep(0.001, 6)\nout = []")
    py.evaluate("t = threading.Thread(target=lambda: out.append(meta.call('f'))); t.start(); t.join()", answerer)
    assert py.run("out") == b"[6]"


def test_nested_errors(py):
    answerer, replies = nested(py, lambda header, body: ({"op": "eval", "code": "1 / 0", "name": "<n>"}, b""))
    assert py.evaluate("import meta; meta.call('f')", answerer)[1] is None
    assert replies[0][0]["type"] == "ZeroDivisionError"


# ----------------------------------------------------------------------------------------------------- interrupts


def test_an_interrupt_while_waiting_is_metas_affair(py):
    def meta(header, body):
        py.interrupt()
        while "S" != open("/proc/%d/stat" % py.pid).read().rsplit(")", 1)[1].split()[0]:
            pass
        return {}, 4

    assert py.evaluate("import meta; meta.call('f') + 1", meta)[1] == 5


def test_an_interrupted_upcall_is_a_keyboard_interrupt(py):
    interrupted = {"op": "err", "code": "runtime/interrupted", "type": "KeyboardInterrupt", "message": "interrupted"}
    header, _ = py.evaluate("import meta; meta.call('f')", lambda h, b: (interrupted, b""))
    assert header["code"] == "runtime/interrupted"
    _, value = py.evaluate("try: meta.call('f')\nexcept KeyboardInterrupt: x = 'caught'\nx", lambda h, b: (interrupted, b""))
    assert value == "caught"


def test_the_innermost_is_interrupted(py):
    py.run("import meta\ndef inner():\n  print('go', flush=True)\n  while True: pass")

    def meta(header, body):
        py.send_up({"op": "call", "id": 50, "in": header["id"], "path": ["inner"]}, b"")
        py.read_output(b"go\n")
        py.interrupt()
        back, _ = py.receive_up()
        assert back["code"] == "runtime/interrupted" and back["re"] == 50
        return {}, "outer lives"

    assert py.evaluate("meta.call('f')", meta)[1] == "outer lives"


def test_the_end_of_descriptor_4_is_an_error(py):
    py.run("import meta")
    py.upward.shutdown(2)
    header, _ = py.request("eval", code="meta.call('f')", name="<x>")
    assert header["code"] == "session/closed"
    assert py.run("1+1") == b"2"


def test_a_finalizer_may_call_up(py):
    py.run("import meta\nclass C:\n  def __del__(self): out.append(meta.call('f'))\nout = []; c = C()")
    assert py.evaluate("del c\nout", lambda h, b: ({}, 8))[1] == [8]
