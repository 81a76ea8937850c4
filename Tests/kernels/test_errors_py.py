"""Errors of the Python kernel: what an `err` says, what it holds, and what becomes of one that comes in."""

import json

import pytest
from peer_py import Peer, ref


@pytest.fixture
def py():
    kernel = Peer("py")
    yield kernel
    kernel.close()


FRAMES = [{"function": "g", "source": "<js 1>", "line": 3, "text": "boom()"}]
FOREIGN = {
    "op": "err", "code": "runtime/raised", "type": "RangeError", "language": "js", "message": "too far", "frames": FRAMES,
    "cause": {"code": "runtime/raised", "type": "Error", "language": "js", "message": "root", "frames": []},
    "ref": ["js", 1, 31], "refs": [["js", 1, 31]],
}


def test_an_error_holds_its_object(py):
    py.run("import weakref\nclass Odd(Exception): pass\nw = None\ndef f():\n  global w\n  e = Odd('m'); w = weakref.ref(e); raise e")
    header, body = py.request("eval", code="f()", name="<x>")
    assert header["language"] == "py" and header["ref"] == ["py", 1, 1] and header["refs"] == [["py", 1, 1]] and body == b""
    py.run("0")
    assert json.loads(py.request("inspect", ref=1)[1])["type"] == "Odd"
    py.release(["py", 1, 1, 1])
    assert py.run("import gc; gc.collect(); w() is None") == b"true"


@pytest.mark.parametrize("raised,data", [
    ("ValueError('m')", None), ("ValueError()", None), ("ValueError('m', 2)", ["m", 2]), ("KeyError('k')", ["k"]), ("ValueError(5)", [5]),
    ("FileNotFoundError(2, 'gone', 'x')", [2, "gone"]), ("ValueError([len, 1])", "ref"),
])
def test_data(py, raised, data):
    header, body = py.request("eval", code="raise " + raised, name="<x>")
    if data == "ref":
        number = json.loads(body)[0][0]["ref"]
        assert sorted(header["refs"]) == sorted([["py", 1, number], header["ref"]])
    else:
        assert (json.loads(body) if body else None) == data


def test_data_that_cannot_cross_is_left_out(py):
    header, body = py.request("eval", code="a = []; a.append(a)\nraise ValueError(a)", name="<x>")
    assert header["type"] == "ValueError" and body == b"" and header["refs"] == [header["ref"]]


def test_a_foreign_error_is_caught_as_meta_error(py):
    code = """
import meta
try: meta.call('f')
except meta.Error as e: caught = e
[caught.code, caught.type, caught.message, caught.language, caught.frames, caught.cause.message, caught.cause is caught.__cause__, caught.data, str(caught)]"""
    _, value = py.evaluate(code, lambda h, b: (FOREIGN, {"k": 1}))
    assert value == ["runtime/raised", "RangeError", "too far", "js", FRAMES, "root", True, {"k": 1}, "too far"]
    assert json.loads(py.run("caught.handle"))["ref"] == 31
    py.run("del caught")
    py.run("import gc; gc.collect()")
    py.request("status")
    assert py.releases == [["js", 1, 31, 1]]


def test_a_foreign_error_passed_on_keeps_what_it_is(py):
    header, body = py.evaluate("import meta\ndef f(): return meta.call('f')\nf()", lambda h, b: (FOREIGN, {"k": 1}))
    assert [frame["text"] for frame in header["frames"]] == ["f()", "def f(): return meta.call('f')", "boom()"]
    assert {name: header[name] for name in ("code", "type", "language", "message", "ref", "refs")} == {
        name: FOREIGN[name] for name in ("code", "type", "language", "message", "ref", "refs")}
    assert header["cause"]["message"] == "root" and body == {"k": 1}


def test_a_foreign_error_as_cause(py):
    header, _ = py.evaluate("import meta\ntry: meta.call('f')\nexcept meta.Error as e: raise ValueError('mine') from e", lambda h, b: (FOREIGN, b""))
    assert header["type"] == "ValueError" and header["cause"]["type"] == "RangeError" and header["cause"]["cause"]["message"] == "root"
    assert [frame["text"] for frame in header["cause"]["frames"]][-1] == "boom()"


def test_the_very_object_comes_home(py):
    """py raises, js passes it on with a frame of its own, py sees the object it raised."""
    py.run("import meta\nclass Odd(Exception): pass\none = Odd('m')\ndef thrower(): raise one")

    def meta(header, body):
        py.send_up({"op": "call", "id": 50, "in": header["id"], "path": ["thrower"]}, b"")
        back, _ = py.receive_up()
        back["frames"] = FRAMES + back["frames"]
        return {**back, "re": header["id"]}, b""

    assert py.evaluate("try: meta.call('f')\nexcept Odd as e: same = e is one\nsame", meta)[1] is True
    py.run("def thrower(): raise Odd('m')")
    header, _ = py.evaluate("def outer(): meta.call('f')\nouter()", meta)
    assert [frame["text"] for frame in header["frames"]] == ["outer()", "def outer(): meta.call('f')", "boom()", "def thrower(): raise Odd('m')"]
    assert header["type"] == "Odd"


def test_a_meta_error_of_ours(py):
    header, body = py.request("eval", code="import meta\nraise meta.Error('m', 'app/odd', data=[1])", name="<x>")
    assert (header["code"], header["type"], header["message"], header["ref"], body) == ("app/odd", "Error", "m", ["py", 1, 1], b"[1]")


def test_an_original_that_was_given_back(py):
    header, _ = py.evaluate("import meta\ntry: meta.call('f')\nexcept meta.Error as e: meta.release(e.handle); raise", lambda h, b: (FOREIGN, b""))
    assert header["type"] == "RangeError" and "ref" not in header and "refs" not in header


def test_an_original_that_was_released_is_a_meta_error(py):
    stale = {**FOREIGN, "ref": ["py", 1, 77], "refs": [["py", 1, 77]]}
    assert py.evaluate("import meta\ntry: meta.call('f')\nexcept meta.Error as e: x = e.type\nx", lambda h, b: (stale, b""))[1] == "RangeError"


@pytest.mark.parametrize("fields", [
    {}, {"message": 5, "code": None, "type": []}, {"frames": 3}, {"frames": [1, None]}, {"cause": 5}, {"cause": {"cause": {}}}, {"ref": 3}, {"ref": ["js", 1, 2]},
])
def test_odd_errors_are_errors(py, fields):
    header, value = py.evaluate("import meta\ntry: meta.call('f')\nexcept meta.Error as e: x = type(e.message).__name__\nx", lambda h, b: ({"op": "err", **fields}, b""))
    assert value == "str", header


def test_at_most_a_hundred_frames(py):
    header, _ = py.evaluate("import meta\ndef f(n): return f(n - 1) if n else meta.call('f')\nf(90)", lambda h, b: ({**FOREIGN, "frames": FRAMES * 90}, b""))
    assert len(header["frames"]) == 100 and header["frames"][-1] == FRAMES[0] and header["frames"][0]["text"] == "f(90)"


def test_errors_as_values(py):
    assert json.loads(py.run("ValueError('m', 1)"))["_type"] == "Error"
    assert json.loads(py.run("class Odd(Exception): pass\nOdd('m')"))["_type"] == "Ref"
    assert json.loads(py.run("e = ValueError('m'); e.extra = 1; e"))["_type"] == "Ref"
    assert json.loads(py.run("[ValueError(len)]"))[0]["data"][0]["_type"] == "Ref"


@pytest.mark.parametrize("body", [
    "__cause__ = property(lambda self: 1 / 0)", "__traceback__ = property(lambda self: 1 / 0)", "args = property(lambda self: 1 / 0)",
    "__class__ = property(lambda self: 1 / 0)", "__dict__ = property(lambda self: 1 / 0)", "def __getattribute__(self, name): raise SystemExit",
    "__eq__ = lambda self, other: 1 / 0", "def __repr__(self): return 5",
])
def test_exceptions_that_lie(py, body):
    error = py.fail("class Odd(Exception):\n    %s\nraise Odd(1, 2)" % body)
    assert error["code"] == "runtime/raised" and isinstance(error["message"], str)
    assert py.run("1+1") == b"2"


def test_a_held_error_does_not_keep_the_request(py):
    py.run("import weakref\nclass Big: pass\ndef f(x):\n  raise ValueError('no')\nws = []")
    py.run("b = Big(); ws.append(weakref.ref(b))")
    header, _ = py.request("call", [[1], {}], path=["f"])
    assert [frame["function"] for frame in header["frames"]] == ["f"]
