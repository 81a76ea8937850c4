"""Upcalls of the JavaScript kernel: proxies, calls by name, promises, nested requests, several requests at once."""

import json
import os
import select
import time

import pytest
from driver import DEADLINE
from peer import Peer, ref, refs_in


@pytest.fixture
def peer(js):
    peer = Peer(js)
    yield peer
    peer.close()


@pytest.fixture
def held(js, peer):
    """Binds `f` to a callable of py and `h` to an object of py."""
    body = json.dumps({"f": ref(1, "function", "<function f>", True), "h": ref(2, "Point", "Point()")}).encode()
    js.request("eval", body, code="globalThis.F = f; globalThis.H = h; 1", name="<x>", refs=[["py", 1, 1], ["py", 1, 2]])
    js.run("f = F; h = H; 1")
    return peer


def start(js, code, **flags):
    return js.start("eval", code=code, name=js.source(), **flags)


def finish(js, identity):
    header, body = js.receive()
    assert header["re"] == identity and header["op"] == "ret", header
    return json.loads(body)


def test_a_call_waits(js, held):
    identity = start(js, "f(1, 'a') + 1")
    header, body = held.upcall("call")
    assert header["ref"] == ["py", 1, 1] and header["for"] == identity and "async" not in header and body == [[1, "a"], {}]
    held.answer(header, 41)
    assert finish(js, identity) == 42


def test_keywords_and_construct(js, held):
    identity = start(js, "f([1], meta.keywords({reverse: true, fn: () => 1})); new f(2)")
    header, body = held.upcall("call")
    assert body[0] == [[1]] and body[1]["reverse"] is True and refs_in(body) == header["refs"]
    held.answer(header)
    header, body = held.upcall("call")
    assert body == [[2], {}]
    held.answer(header, ref(3))
    assert finish(js, identity)["ref"] == 3


MISSING = {"type": "AttributeError", "message": "no attribute"}


def test_attributes_and_items(js, held):
    identity = start(js, "[h.x, h[3], h.k, 'y' in h, Object.keys(h), h.length]")
    header, _ = held.upcall("get")
    assert header["ref"] == ["py", 1, 2] and header["path"] == ["x"]
    held.answer(header, 1)
    header, body = held.upcall("get")
    assert header["item"] is True and body == 3 and "path" not in header
    held.answer(header, 2)
    held.refuse(held.upcall("get")[0], **MISSING)
    header, body = held.upcall("get")
    assert header["item"] is True and body == "k"
    held.answer(header, 3)
    held.answer(held.upcall("inspect")[0], {"type": "Point", "members": ["x", "y"], "length": 5})
    held.answer(held.upcall("inspect")[0], {"type": "Point", "members": ["x", "y"], "length": 5})
    header, _ = held.upcall("get")
    assert header["path"] == ["length"]
    held.refuse(header, **MISSING)
    held.answer(held.upcall("inspect")[0], {"type": "Point", "members": ["x", "y"], "length": 5})
    assert finish(js, identity) == [1, 2, 3, True, ["x", "y"], 5]


def test_setting(js, held):
    identity = start(js, "h.x = 5; h[0] = 6; meta.setItem(h, 'k', 7); 1")
    for path, body in ((["x"], 5), (None, [0, 6]), (None, ["k", 7])):
        header, got = held.upcall("set")
        assert header.get("path") == path and header.get("item", False) is (path is None) and got == body
        held.answer(header)
    assert finish(js, identity) == 1
    assert js.fail("delete h.x")["code"] == "runtime/unsupported"


def test_iteration_in_chunks(js, held):
    identity = start(js, "sum = 0; for (const x of h) sum += x; sum")
    header, _ = held.upcall("items")
    assert header["count"] == 1000 and header["ref"] == ["py", 1, 2]
    held.answer(header, list(range(1000)), more=True, iterator=["py", 1, 9], refs=[["py", 1, 9]])
    header, _ = held.upcall("items")
    assert header["ref"] == ["py", 1, 9]
    held.answer(header, [1000], more=False)
    assert finish(js, identity) == sum(range(1001))


def test_asynchronous_iteration(js, held):
    identity = start(js, "sum = 0; for await (const x of h) sum += x; sum")
    header, _ = held.upcall("items")
    assert header["async"] is True
    held.answer(header, [1, 2], more=True, iterator=["py", 1, 9], refs=[["py", 1, 9]])
    held.answer(held.upcall("items")[0], [3], more=False)
    assert finish(js, identity) == 6


def test_fetch_release_equal(js, held):
    identity = start(js, "[meta.fetch(h), meta.equal(h, 3), meta.fetch(4)]")
    header, _ = held.upcall("get")
    assert header["copy"] is True and "path" not in header
    held.answer(header, {"a": 1})
    header, body = held.upcall("equal")
    assert body == 3
    held.answer(header, True)
    assert finish(js, identity) == [{"a": 1}, True, 4]
    js.run("meta.release(h); 1")
    assert js.fail("h.x")["code"] == "session/stale-handle"
    assert js.fail("h")["code"] == "session/stale-handle"


def test_calls_and_source_by_name(js, peer):
    identity = start(js, "[meta.call('py.math.sqrt', 4), meta.call('double', () => 1), meta.eval('py', 'x + 1', {x: 1}), meta.eval('sh', 'ls')]")
    header, body = peer.upcall("call")
    assert header["path"] == ["py", "math", "sqrt"] and body == [[4], {}]
    peer.answer(header, 2.0)
    header, body = peer.upcall("call")
    assert header["path"] == ["double"] and header["refs"] == refs_in(body)
    peer.answer(header, None)
    header, body = peer.upcall("eval")
    assert header["language"] == "py" and header["code"] == "x + 1" and body == {"x": 1}
    peer.answer(header, 2)
    header, body = peer.upcall("eval")
    assert header["language"] == "sh" and body is None
    peer.answer(header, "a")
    assert finish(js, identity) == [2, None, 2, "a"]


def test_promises(js, held):
    identity = start(js, "const [a, b] = await Promise.all([f.async(1), meta.call.async('g', 2)]); a + b")
    one, body = held.upcall("call")
    assert one["async"] is True and body == [[1], {}]
    two, _ = held.upcall("call")
    assert js.request("eval", code="1+1", name="<x>")[1] == b"2"  # others are served meanwhile
    held.answer(two, 5)
    held.answer(one, 4)
    assert finish(js, identity) == 9
    identity = start(js, "await f.async(1)")
    held.refuse(held.upcall("call")[0])
    assert js.receive()[0]["type"] == "ValueError"
    assert js.run("1+1") == b"2"


def test_nested_requests(js, held):
    identity = start(js, "function twice(x) { return 2 * x }; f(twice)")
    header, body = held.upcall("call")
    number = body[0][0]["ref"]
    assert held.nested(header, "call", [[21], {}], ref=number)[1] == 42
    assert held.nested(header, "eval", code="1+1", name="<n>")[1] == 2
    assert held.nested(header, "eval", code="throw new TypeError('x')", name="<n>")[0]["type"] == "TypeError"
    assert held.nested(header, "call", [["a"], {}], path=["nonesuch"])[0]["code"] == "runtime/missing"
    assert held.nested(header, "eval", code="(async () => { await null; return 5 })()", name="<n>")[1] == 5
    late, _ = held.nested(header, "eval", code="new Promise(done => setTimeout(done, 1))", name="<n>")
    assert late["code"] == "runtime/would-block" and "async" in late["help"]
    held.answer(header, 1)
    assert finish(js, identity) == 1


def test_calls_nest_deep(js, held):
    identity = start(js, "depth = 0; function down(n) { return n === 0 ? 0 : f(n) + 1 }; globalThis.down = down; down(40)")
    open_calls = []
    for n in range(40, 0, -1):
        header, body = held.upcall("call")
        assert body == [[n], {}] and header["for"] == (identity if not open_calls else open_calls[-1][1])
        open_calls.append((header, held.ask(header, "call", [[n - 1], {}], path=["down"])))
    for header, nested in reversed(open_calls):
        reply, value = held.receive()
        assert reply["re"] == nested
        held.answer(header, value)
    assert finish(js, identity) == 40


def test_upcalls_from_the_loop(js, held):
    start(js, "setTimeout(() => { globalThis.got = f(1) }, 1); 1")
    assert js.receive()[1] == b"1"
    header, _ = held.upcall("call")
    assert "for" not in header
    assert held.nested(header, "eval", code="2+2", name="<n>")[1] == 4
    held.answer(header, 7)
    assert js.run("got") == b"7"
    identity = start(js, "await null; f(1)")
    header, _ = held.upcall("call")
    held.answer(header, 8)
    assert finish(js, identity) == 8


def test_answers_in_any_order(js):
    slow = start(js, "new Promise(done => { globalThis.done = done })")
    other = start(js, "new Promise(done => setTimeout(done, 5, 'other'))")
    quick = start(js, "1 + 1")
    assert finish(js, quick) == 2
    assert finish(js, other) == "other"
    assert js.run("done('slow'); 3") == b"3"
    assert finish(js, slow) == "slow"


def test_names_of_runs_that_overlap(js):
    one = js.start("eval", b'{"x":1}', code="await new Promise(done => { globalThis.first = done }); x", name="<x>")
    two = js.start("eval", b'{"x":2}', code="await new Promise(done => { globalThis.second = done }); x", name="<x>")
    js.start("eval", code="first(); 1", name="<x>")
    replies = dict((lambda h, b: (h["re"], b))(*js.receive()) for _ in range(2))
    assert one in replies
    js.start("eval", code="second(); 1", name="<x>")
    replies |= dict((lambda h, b: (h["re"], b))(*js.receive()) for _ in range(2))
    assert replies[two] == b"2"
    assert js.fail("x")["type"] == "ReferenceError"


def test_cancel(js):
    one = start(js, "new Promise(() => {})")
    two = start(js, "new Promise(done => { globalThis.done = done })")
    assert js.run("1+1") == b"2"
    js.send({"op": "cancel", "id": one})
    js.send({"op": "cancel", "id": 9999})
    header, _ = js.receive()
    assert header["re"] == one and header["code"] == "runtime/interrupted"
    assert js.run("done(5); 1") == b"1"
    assert finish(js, two) == 5


def test_an_interrupt_ends_all_that_wait(js):
    waiting = {start(js, "new Promise(() => {})") for _ in range(3)}
    assert js.run("1+1") == b"2"
    replies = [js.interrupt_until_reply(), js.receive(), js.receive()]
    for header, _ in replies:
        waiting.discard(header["re"])
        assert header["code"] == "runtime/interrupted"
    assert not waiting
    js.request("eval", code="0", name="<late>")  # the last of the signals may have come late, and then ends this one
    assert js.run("1+1") == b"2"


def test_waiting_for_an_upcall_ignores_interrupts(js, held):
    identity = start(js, "f(1)")
    header, _ = held.upcall("call")
    js.interrupt()
    time.sleep(0.05)
    reply, value = held.nested(header, "eval", code="1+1", name="<n>")
    assert value == 2 or reply["code"] == "runtime/interrupted"  # the last signal may be late, and then ends this one
    js.interrupt()
    held.answer(header, 3)
    reply, value = js.receive()
    assert reply["re"] == identity and (value == b"3" or reply["code"] == "runtime/interrupted")
    assert js.run("1+1") == b"2"


def test_an_interrupted_upcall_is_an_error(js, held):
    identity = start(js, "try { f(1) } catch (e) { [e instanceof meta.Error, e.code] }")
    held.refuse(held.upcall("call")[0], code="runtime/interrupted", type="Interrupted")
    assert finish(js, identity) == [True, "runtime/interrupted"]


def test_an_interrupt_ends_the_innermost(js, held):
    identity = start(js, "f(1)")
    header, _ = held.upcall("call")
    nested = held.ask(header, "eval", code="console.log('go'); for (;;);", name="<n>")
    js.read_output(b"go\n")
    js.interrupt()
    reply, _ = held.receive()
    assert reply["re"] == nested and reply["code"] == "runtime/interrupted"
    held.answer(header, 3)
    assert finish(js, identity) == 3
    assert js.run("1+1") == b"2"


def test_interrupts_at_any_moment_of_nesting(js, held):
    """A signal during nested work ends that or nothing; every frame stays whole."""
    for n in range(60):
        identity = start(js, "f(x => x)")
        if js.requests in select.select([js.requests, js.upward], [], [], DEADLINE)[0]:
            reply, _ = js.receive()  # the last signal was late and has hit this request
            assert reply["re"] == identity and reply["code"] == "runtime/interrupted"
            continue
        header, body = held.upcall("call")
        number = body[0][0]["ref"]
        nested = held.ask(header, "call", [[n], {}], ref=number)
        js.interrupt()
        reply, value = held.receive()
        assert reply["re"] == nested and (value == n or reply["code"] == "runtime/interrupted")
        held.answer(header, n)
        reply, value = js.receive()
        assert reply["re"] == identity and (value == b"%d" % n or reply["code"] == "runtime/interrupted")
    while js.request("status")[0]["op"] == "err":
        pass
    assert js.run("1+1") == b"2"


def test_an_interrupt_in_a_large_send(js, held):
    """A frame half written goes on where it was."""
    js.run("large = 'x'.repeat(30_000_000); 1")
    for _ in range(5):
        identity = start(js, "console.log('go'); f(large)")
        js.read_output(b"go\n")
        select.select([js.upward], [], [], DEADLINE)
        js.interrupt()
        header, body = held.upcall("call")
        assert len(body[0][0]) == 30_000_000
        held.answer(header, 1)
        reply, _ = js.receive()
        assert reply["re"] == identity
        assert js.run("1+1") == b"2"


def test_replies_to_nobody(js, held):
    identity = start(js, "f(1)")
    held.send({"op": "ret", "re": 4711, "type": "x"}, b"1")
    held.send({"op": "err", "re": None, "code": "x", "message": "y"})
    header, _ = held.upcall("call")
    held.answer(header, 2)
    assert finish(js, identity) == 2


@pytest.mark.parametrize("body,fields,code", [
    (b"[1,", {}, "wire/unreadable"), (json.dumps(ref(5)).encode(), {}, "wire/unreadable"), (b"1", {"refs": 3}, "wire/unreadable"),
    (json.dumps(ref(5, owner="js")).encode(), {"refs": [["js", 1, 5]]}, "session/stale-handle"),
])
def test_replies_that_cannot_be_read(js, held, body, fields, code):
    identity = start(js, "try { f(1) } catch (e) { e.code }")
    header, _ = held.upcall("call")
    held.send({"op": "ret", "re": header["id"], "type": "x", **fields}, body)
    assert finish(js, identity) == code


@pytest.mark.parametrize("code", ["f((() => { const a = []; a.push(a); return a })())", "f('\\ud800')", "f({get x() { throw new Error('g') }})"])
def test_arguments_that_cannot_cross(js, held, code):
    identity = start(js, "try { %s } catch (e) { [e.code ?? '', e.message] }" % code)
    assert len(finish(js, identity)) == 2
    assert js.run("1+1") == b"2"


def test_a_batch_of_promises(js, held):
    identity = start(js, "const all = []; for (let n = 0; n < 500; n++) all.push(f.async(n)); (await Promise.all(all)).length")
    calls = [held.upcall("call") for _ in range(500)]
    assert [body[0][0] for _, body in calls] == list(range(500))
    for header, body in calls:
        held.answer(header, body[0][0])
    assert finish(js, identity) == 500


def test_exit_in_a_nested_request(js, held):
    start(js, "f(1)")
    header, _ = held.upcall("call")
    held.ask(header, "eval", code="process.exit(9)", name="<n>")
    assert os.waitstatus_to_exitcode(js.wait()) == 9


def test_stack_overflow_in_an_upcall(js, held):
    js.run("function deep(n) { try { return deep(n + 1) } catch (e) { return f(1) } }; globalThis.deep = deep; 1")
    identity = start(js, "try { deep(0) } catch (e) { e.name }")
    js.upward.settimeout(0.5)
    while True:
        try:
            header, _ = held.receive()
            held.answer(header, 1)
        except TimeoutError:
            break
    assert js.receive()[0]["re"] == identity
    assert js.run("1+1") == b"2"
