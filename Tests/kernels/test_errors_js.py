"""Errors of the JavaScript kernel, both ways: fields, data, causes, journeys, the very object at home; hostile values."""

import json

import pytest
from peer import ref
from test_upcalls_js import finish, held, peer, start  # noqa: F401


def fail(js, code, **flags):
    identity = js.start("eval", code=code, name=js.source(), **flags)
    header, body = js.receive()
    assert header["op"] == "err" and header["re"] == identity, header
    return header, json.loads(body) if body else None


def test_fields_and_data(js):
    header, data = fail(js, "throw Object.assign(new TypeError('no'), {code: 'E1', n: [1]})")
    assert (header["code"], header["type"], header["language"], header["message"]) == ("runtime/raised", "TypeError", "js", "no")
    assert header["ref"] == ["js", 1, 1] and header["refs"] == [["js", 1, 1]] and data == {"code": "E1", "n": [1]}
    header, data = fail(js, "fs.readFileSync('/proc/nonexistent')")
    assert data["code"] == "ENOENT"
    header, data = fail(js, "throw Object.assign(new Error('x'), {f: () => 1})")
    assert len(header["refs"]) == 2 and data["f"]["ref"] == header["refs"][1][2]
    header, data = fail(js, "throw new Error('outer', {cause: new RangeError('inner')})")
    assert header["cause"]["type"] == "RangeError" and data is None
    header, data = fail(js, "throw 'text'")
    assert "ref" not in header and header["type"] == "string"


def test_the_object_comes_home(js, held):
    header, _ = fail(js, "mine = new RangeError('mine'); throw mine")
    owned = header["ref"]
    identity = start(js, "\nfunction g() { f(1) }\ntry { g() } catch (e) { globalThis.caught = e; e === mine }")
    frames = [{"function": "p", "source": "<py 1>", "line": 3, "text": "g()"}]
    held.refuse(held.upcall("call")[0], ref=owned, refs=[owned], language="js", type="RangeError", frames=frames)
    assert finish(js, identity) is True
    header, _ = fail(js, "throw caught")
    assert [frame["source"] for frame in header["frames"]][-1] == "<py 1>" and "g" in [frame["function"] for frame in header["frames"]]
    assert header["ref"] == owned


def test_a_foreign_error_passes_through(js, held):
    js.run("\nfunction outer() {\n  return f(1)\n}; globalThis.outer = outer; 1")
    identity = js.start("eval", code="outer()", name=js.source())
    held.refuse(
        held.upcall("call")[0], b'["k"]', type="KeyError", message="'k'", ref=["py", 1, 9], refs=[["py", 1, 9]], code="runtime/raised",
        frames=[{"function": "look", "source": "<py 2>", "line": 2, "text": "d['k']"}],
        cause={"code": "runtime/raised", "type": "ValueError", "message": "why", "frames": [], "language": "py"},
    )
    header, body = js.receive()
    assert header["re"] == identity and (header["type"], header["message"], header["language"]) == ("KeyError", "'k'", "py")
    assert [(f["function"], f["line"]) for f in header["frames"]] == [("<script>", 1), ("outer", 3), ("look", 2)]
    assert header["ref"] == ["py", 1, 9] in header["refs"] and json.loads(body) == ["k"] and header["cause"]["type"] == "ValueError"


def test_it_is_caught_as_a_meta_error(js, held):
    identity = start(js, "try { f(1) } catch (e) { [e instanceof meta.Error, e instanceof Error, e.code, e.type, e.message, e.language, e.data, e.cause.type, e.frames.length, String(e)] }")
    held.refuse(held.upcall("call")[0], b"[1]", type="KeyError", message="k", cause={"code": "runtime/raised", "type": "V", "message": "w", "frames": []},
                frames=[{"function": "look", "source": "<py 2>", "line": 2, "text": "d['k']"}])
    assert finish(js, identity) == [True, True, "runtime/raised", "KeyError", "k", "py", [1], "V", 1, "KeyError: k"]


def test_nested_frames_are_told_apart(js, held):
    js.run("\nfunction inner() {\n  throw new Error('deep')\n}; globalThis.inner = inner; 1")
    identity = js.start("eval", code="f(inner)", name=js.source())
    upcall, body = held.upcall("call")
    reply, _ = held.nested(upcall, "call", [[], {}], ref=body[0][0]["ref"])
    assert [frame["function"] for frame in reply["frames"]] == ["inner"]
    held.refuse(upcall, ref=reply["ref"], refs=[reply["ref"]], language="js", type="Error", message="deep",
                frames=[{"function": "p", "source": "<py 1>", "line": 1, "text": "cb()"}, *reply["frames"]])
    header, _ = js.receive()
    assert header["re"] == identity and [frame["function"] for frame in header["frames"]] == ["<script>", "p", "inner"]


def test_frames_are_limited(js, held):
    identity = js.start("eval", code="f(1)", name=js.source())
    held.refuse(held.upcall("call")[0], frames=[{"function": "g%d" % n, "source": "<py 1>", "line": n, "text": ""} for n in range(500)])
    header, _ = js.receive()
    assert header["re"] == identity and len(header["frames"]) == 100 and header["frames"][-1]["function"] == "g499"


def test_a_stale_error_is_told_by_its_fields(js, held):
    identity = js.start("eval", code="f(1)", name=js.source())
    held.refuse(held.upcall("call")[0], ref=["js", 1, 999], refs=[["js", 1, 999]], type="Gone", message="gone")
    header, _ = js.receive()
    assert header["re"] == identity and header["type"] == "Gone"


@pytest.mark.parametrize("fields", [
    {"frames": 3}, {"frames": [3, None, {}]}, {"cause": 3}, {"cause": {"cause": {}}}, {"ref": 3}, {"ref": ["py"]}, {"message": 3}, {"type": None},
    {"ref": ["py", 1, 5]}, {"code": None},
])
def test_odd_errors(js, held, fields):
    start(js, "f(1)")
    held.refuse(held.upcall("call")[0], **fields)
    assert js.receive()[0]["op"] == "err"
    assert js.run("1+1") == b"2"


HOSTILE = [
    "throw Proxy.revocable({}, {}).proxy", "(() => { const {proxy, revoke} = Proxy.revocable({}, {}); revoke(); throw proxy })()",
    "throw Object.setPrototypeOf(new Error('x'), new Proxy({}, {getPrototypeOf() { throw 1 }}))",
    "throw Object.defineProperty(new Error('x'), 'cause', {get() { throw 1 }})", "throw Object.assign(new Error('x'), {get a() { throw 1 }})",
    "throw Object.defineProperty(new Error('x'), 'a', {get() { throw 1 }, enumerable: true})",
    "const e = new Error('x'); e.self = e; throw e", "const a = new Error('a'); a.cause = a; throw a",
    "throw Object.assign(new Error('\\ud800'), {text: '\\ud800'})", "throw new Error('x'.repeat(3_000_000))", "throw Object.assign(new Error('y'), {data: 'x'.repeat(100)})",
    "throw () => 1", "throw Object.create(null)", "throw Object.assign(new meta.Error('m', {frames: 3}), {frames: {length: 1e9}})",
    "throw Object.assign(new meta.Error('m'), {frames: [{get function() { throw 1 }}], code: {}, type: Symbol()})", "throw meta", "throw meta.ref(1)",
    "Error.prepareStackTrace = () => { throw 1 }; throw new Error('x')", "Error.prepareStackTrace = () => 7; throw new Error('x')",
    "Error.stackTraceLimit = 0; throw new Error('x')", "Object.freeze(Error); throw new Error('x')",
    "throw {get message() { throw 1 }}", "throw {toString() { throw 1 }, [Symbol.toPrimitive]() { throw 2 }}", "throw new (class extends Error { get name() { throw 1 } })('x')",
]


@pytest.mark.parametrize("code", HOSTILE)
def test_hostile_errors(js, code):
    header, _ = fail(js, code)
    assert header["code"].split("/")[0] == "runtime" and isinstance(header["message"], str)
    assert js.run("1+1") == b"2"


@pytest.mark.parametrize("code", [
    "({get a() { console.log('go'); for (;;); }})", "meta.ref(new (class { get [Symbol.toStringTag]() { console.log('go'); for (;;); } }))",
    "new Proxy({}, {ownKeys() { console.log('go'); for (;;); }})", "throw Object.defineProperty(new Error('x'), 'message', {get() { console.log('go'); for (;;); }})",
    "throw Object.defineProperty(new Error('x'), 'a', {get() { console.log('go'); for (;;); }, enumerable: true})",
])
def test_what_never_returns_can_be_interrupted(js, code):
    identity = js.start("eval", code="(%s)" % code if not code.startswith("throw") else code, name="<x>", copy="Proxy" in code)
    js.read_output(b"go\n")
    header, _ = js.interrupt_until_reply()
    assert header["re"] == identity and header["code"] == "runtime/interrupted"
    assert js.run("1+1") == b"2"


def test_redefined_globals(js, held):
    js.run("""
        Object.prototype.owner = Object.prototype.refs = Object.prototype.ref = Object.prototype.id = Object.prototype.hold = 3;
        Object.prototype.in = Object.prototype.re = Object.prototype.item = Object.prototype.copy = true; Object.prototype.path = ['x'];
        for (const name of ['Proxy', 'WeakMap', 'WeakRef', 'FinalizationRegistry', 'Symbol', 'Reflect', 'Array', 'Function', 'Error', 'Promise'])
          globalThis[name] = null;
        1""")
    identity = start(js, "f(() => 1, 2)")
    header, body = held.upcall("call")
    assert body[0][1] == 2 and header["refs"] == [["js", 1, body[0][0]["ref"]]]
    held.answer(header, {"a": 5})
    assert finish(js, identity) == {"a": 5}
    assert js.run("f = null; 1+1") == b"2"
