"""Handles of the JavaScript kernel: what crosses as one, coming home, releasing, asking an object by its ref."""

import json

import pytest
from peer import ref, refs_in

REFS = [
    "new Proxy([], {ownKeys() { throw 1 }})", "() => 1", "({[Symbol.toPrimitive]() { throw 1 }})", "[, 1]", "new (class X {})",
    "new Date(NaN)", "Symbol()", "/x/", "new WeakMap()", "/x/.exec('x')", "Object.create(null)", "Object.create({a: 1})",
    "new (class extends Map {})", "new (class extends Set {})", "new (class extends Array {})", "Buffer.from('a')", "new Float64Array(2)",
    "Object.defineProperty({}, 'hidden', {value: 1})", "Object.assign(() => 1, {})", "(function* () {})()", "[1][Symbol.iterator]()",
    "new (class extends Error {})", "Object.assign(new Error('x'), {a: 1})", "new Number(1)", "class A {}", "Math", "globalThis",
    "Proxy.revocable({}, {}).proxy", "new Proxy(() => 1, {apply() { throw 1 }})", "(() => { const {proxy, revoke} = Proxy.revocable({}, {}); revoke(); return proxy })()",
    "({get [Symbol.toStringTag]() { throw 1 }})", "meta.ref([1])", "meta.ref(3)", "new (class { get [Symbol.toStringTag]() { throw 1 } })", "new Promise(() => 1).constructor",
]


@pytest.mark.parametrize("code", REFS)
def test_what_crosses_as_a_handle(js, code):
    for wrap in ("[%s]", "({a: [1, %s]})", "new Map([[%s, 1]])"):
        header, body = js.request("eval", code=wrap % code, name="<x>")
        assert header["op"] == "ret", header
        assert len(header["refs"]) == 1 and refs_in(json.loads(body)) == header["refs"]
        assert header["refs"][0][:2] == ["js", 1]
    assert js.run("1+1") == b"2"


def hold(js, code, **flags):
    """Evaluates to a handle; its number."""
    header, body = js.request("eval", code="(%s)" % code, name="<x>", **flags)
    assert header["op"] == "ret", header
    return json.loads(body)["ref"]


def test_the_record_of_a_handle(js):
    record = json.loads(js.run("class Point { constructor() { this.x = 1 } }; new Point"))
    assert record == {"_type": "Ref", "owner": "js", "generation": 1, "ref": 1, "type": "Point", "repr": "Point { x: 1 }", "callable": False}
    record = json.loads(js.run("(function add() {})"))
    assert record["callable"] is True and record["repr"] == "[Function: add]" and record["ref"] == 2
    long = json.loads(js.run("({f() {}, text: 'a\\nb\\u0007' + 'x'.repeat(1000)}).f"))
    assert len(long["repr"]) <= 200
    long = json.loads(js.run("new (class X { constructor() { this.text = 'a\\nb\\u0007' + 'x'.repeat(1000) } })"))
    assert len(long["repr"]) <= 200 and "\n" not in long["repr"]


def test_one_object_has_one_ref(js):
    header, body = js.request("eval", code="f = () => 1; [f, f, {f}]", name="<x>")
    assert header["refs"] == [["js", 1, 1]]
    assert hold(js, "f") == 1
    assert hold(js, "() => 2") == 2


def test_copyable_values_may_be_held(js):
    js.run("list = [1, 2]; 1")
    number = hold(js, "list", hold=True)
    assert hold(js, "meta.ref(list)") == number
    assert json.loads(js.request("get", ref=number)[1]) == [1, 2]
    assert js.request("set", json.dumps(ref(number, owner="js")).encode(), path=["same"], refs=[["js", 1, number]])[0]["op"] == "ret"
    assert js.run("same === list") == b"true"
    assert js.request("get", b"1", ref=number, item=True)[1] == b"2"
    assert js.request("get", ref=hold(js, "-0", hold=True))[1] == b'{"_type":"Float","value":"-0.0"}'
    assert js.request("get", ref=hold(js, "0", hold=True))[1] == b"0"


def test_home_coming(js):
    number = hold(js, "f = () => 1")
    body = json.dumps({"x": [ref(number, owner="js")]}).encode()
    assert js.request("eval", body, code="x[0] === f", name="<x>", refs=[["js", 1, number]])[1] == b"true"
    assert js.request("eval", body, code="x[0] === f", name="<x>")[0]["code"] == "wire/unreadable"  # not listed


@pytest.mark.parametrize("number,generation", [(99, 1), (1, 2)])
def test_stale_handles(js, number, generation):
    hold(js, "() => 1")
    body = json.dumps([ref(number, owner="js", generation=generation)]).encode()
    header, _ = js.request("set", body, path=["x"], refs=[["js", generation, number]])
    assert header["code"] == "session/stale-handle"
    if number == 99:
        assert js.request("get", ref=number)[0]["code"] == "session/stale-handle"


@pytest.mark.parametrize("odd", [0, -1, 1.5, "1", None, [], [1], {}, True, ["js", 1], ["py", 1, 1], ["js", 1, "1"]])
def test_odd_refs(js, odd):
    hold(js, "() => 1")
    assert js.request("get", ref=odd)[0]["code"] == "wire/unreadable"
    assert js.request("call", b"[[],{}]", ref=odd)[0]["code"] == "wire/unreadable"
    assert js.run("1+1") == b"2"


@pytest.mark.parametrize("odd", [3, "x", {}, [1], [["js"]], [["js", 1, 0]], [[1, 1, 1]], [["js", "1", 1]], [None]])
def test_odd_lists_of_refs(js, odd):
    assert js.request("set", b"1", path=["x"], refs=odd)[0]["code"] == "wire/unreadable"
    assert js.run("1+1") == b"2"


@pytest.mark.parametrize("fields", [{"owner": 3}, {"ref": "1"}, {"ref": 0}, {"generation": None}, {"ref": [1]}])
def test_odd_records(js, fields):
    body = json.dumps({**ref(1), **fields}).encode()
    assert js.request("set", body, path=["x"], refs=[["py", 1, 1]])[0]["code"] == "wire/unreadable"


def test_release_counts_sendings(js):
    number = hold(js, "f = () => 1")
    assert hold(js, "f") == hold(js, "f") == number
    js.send({"op": "release", "refs": [["js", 1, number, 2], ["py", 1, number, 9], ["js", 2, number, 9], ["js", 1, 77, 1], 3, ["js", 1, number, -1]]})
    assert js.request("get", ref=number)[0]["op"] == "ret"  # sent once more, by this very reply
    js.send({"op": "release", "refs": [["js", 1, number, 2]]})
    assert js.request("get", ref=number)[0]["code"] == "session/stale-handle"
    assert hold(js, "f") == number + 1  # a number is not used twice


def test_a_failed_frame_holds_nothing(js):
    before = json.loads(js.request("status")[1])["held"]
    assert js.fail("a = [() => 1]; a.push(a); a")["code"] == "value/cycle"
    assert json.loads(js.request("status")[1])["held"] == before


def test_get_set_call_by_ref(js):
    number = hold(js, "new (class Point { constructor() { this.x = 3; this.in = {y: 4} } add(n) { return this.x + n } })")
    assert js.request("get", ref=number, path=["x"])[1] == b"3"
    assert js.request("get", ref=number, path=["in", "y"])[1] == b"4"
    assert js.request("get", ref=number, path=["nonesuch"])[0]["code"] == "runtime/missing"
    assert js.request("call", b"[[4],{}]", ref=number, path=["add"])[1] == b"7"
    assert js.request("set", b"10", ref=number, path=["x"])[1] == b"null"
    assert js.request("set", b"11", ref=number, path=["in", "y"])[1] == b"null"
    assert js.request("call", b"[[4],{}]", ref=number, path=["add"])[1] == b"14"
    assert js.request("get", ref=number, path=["in", "y"])[1] == b"11"
    assert js.request("call", b"[[],{}]", ref=number)[0]["type"] == "TypeError"
    assert js.request("call", b"[[1,2],{}]", ref=hold(js, "(...args) => args"))[1] == b"[1,2]"
    assert js.request("call", b'[[1],{"k":2}]', ref=hold(js, "(...args) => args"))[1] == b'[1,{"k":2}]'


def test_items_by_key(js):
    number = hold(js, "new (class extends Map {})([[1, 'a'], ['k', 'b']])")
    assert js.request("get", b"1", ref=number, item=True)[1] == b'"a"'
    assert js.request("set", b'["k","c"]', ref=number, item=True)[1] == b"null"
    assert js.request("get", b'"k"', ref=number, item=True)[1] == b'"c"'
    assert js.request("set", b'["k"]', ref=number, item=True)[0]["code"] == "wire/unreadable"
    typed = hold(js, "new Float64Array([1.5, 2.5])")
    assert js.request("get", b"1", ref=typed, item=True)[1] == b"2.5"


def test_items_in_chunks(js):
    number = hold(js, "(function* () { for (let n = 0; n < 2500; n++) yield n })()")
    got, rounds, source = [], 0, number
    while True:
        header, body = js.request("items", ref=source, count=1000)
        got += json.loads(body)
        rounds += 1
        if not header["more"]:
            break
        owner, generation, source = header["iterator"]
        assert header["iterator"] in header["refs"] and owner == "js"
    assert got == list(range(2500)) and rounds == 3
    header, body = js.request("items", ref=hold(js, "new Float64Array([1.5])"), count=10)
    assert body == b"[1.5]" and header["more"] is False
    header, body = js.request("items", ref=hold(js, "(async function* () { yield 1; await null; yield 2 })()"), count=10)
    assert body == b"[1,2]"


@pytest.mark.parametrize("count", [0, -1, 1.5, "3", None, 2**60])
def test_odd_counts(js, count):
    header, _ = js.request("items", ref=hold(js, "[1, 2]", hold=True), count=count)
    assert header["op"] == "err"
    assert js.run("1+1") == b"2"


@pytest.mark.parametrize("code", ["new (class X {})", "() => 1", "({[Symbol.iterator]: 3})", "({[Symbol.iterator]() { return 3 }})",
                                  "({[Symbol.iterator]() { return {next() { return 3 }} }})", "({[Symbol.iterator]() { throw new Error('x') }})"])
def test_what_has_no_items(js, code):
    assert js.request("items", ref=hold(js, code), count=5)[0]["op"] == "err"
    assert js.run("1+1") == b"2"


def test_inspect_and_equal(js):
    number = hold(js, "point = new (class Point { constructor() { this.x = 3 } add() {} })")
    record = json.loads(js.request("inspect", ref=number)[1])
    assert record == {"type": "Point", "repr": "Point { x: 3 }", "callable": False, "length": None, "members": ["x", "add"], "doc": None}
    assert json.loads(js.request("inspect", ref=hold(js, "new Float64Array(3)"))[1])["length"] == 3
    for other, wanted in ((ref(number, owner="js"), b"true"), (3, b"false")):
        assert js.request("equal", json.dumps(other).encode(), ref=number, refs=[["js", 1, number]])[1] == wanted
    for code in REFS:
        assert js.request("inspect", ref=hold(js, code))[0]["op"] == "ret"


@pytest.mark.parametrize("code,body", [
    ("new (class P { constructor() { this.x = 1; this.y = [new (class extends Map {})([[1, 2]])] } })", {"x": 1, "y": [{"_type": "Map", "entries": [[1, 2]]}]}),
    ("(function* () { yield 1; yield 2 })()", [1, 2]), ("new Float64Array([1.5, 2])", [1.5, 2]), ("Buffer.from('a')", {"_type": "Bytes", "base64": "YQ=="}),
    ("Object.create(null)", {}), ("new (class extends Array {})(1, 2)", [1, 2]), ("new Number(3)", 3), ("new Proxy({a: 1}, {})", {"a": 1}),
    ("Object.assign([1], {x: 1})", [1]), ("[, 1]", [{"_type": "Undefined"}, 1]), ("({a: 1})", {"a": 1}), ("3", 3),
])
def test_copies(js, code, body):
    header, got = js.request("eval", code="(%s)" % code, name="<x>", copy=True)
    assert json.loads(got) == body, header
    assert json.loads(js.request("get", ref=hold(js, code, hold=True), copy=True)[1]) == body


def test_copies_that_cannot_be(js):
    assert js.request("eval", code="() => 1", name="<x>", copy=True)[0]["code"] == "value/uncopyable"
    header, body = js.request("eval", code="[() => 1]", name="<x>", copy=True)
    assert refs_in(json.loads(body)) == header["refs"] != []
    js.run("class N { constructor() { this.me = this } }; 1")
    assert js.request("eval", code="new N", name="<x>", copy=True)[0]["code"] == "value/cycle"
    assert js.run("1+1") == b"2"


def test_promises_in_containers_are_handles(js):
    assert json.loads(js.run("[Promise.resolve(1)]"))[0]["type"] == "Promise"


def test_foreign_handles_travel_through(js):
    body = json.dumps([ref(7, "Point", "Point(x=1)"), {"a": ref(7, "Point", "Point(x=1)")}]).encode()
    assert js.request("set", body, path=["x"], refs=[["py", 1, 7]])[0]["op"] == "ret"
    assert js.run("x[0] === x[1].a && x[0] instanceof meta.Handle && !([] instanceof meta.Handle)") == b"true"
    header, got = js.request("eval", code="x", name="<x>")
    assert json.loads(got) == json.loads(body) and header["refs"] == [["py", 1, 7]]
    assert js.run("[typeof x[0], `${x[0]}`, x[0].then, JSON.stringify(x[0]), util.inspect(x[0]), Object.prototype.toString.call(x[0])]") == json.dumps(
        ["object", "Point(x=1)", {"_type": "Undefined"}, '{"owner":"py","type":"Point","repr":"Point(x=1)"}', "<py Point: Point(x=1)>", "[object Point]"],
        separators=(",", ":")).encode()
    js.run("console.log(x); 1")
    assert b"<py Point: Point(x=1)>" in js.read_output(b"]\n")


GC = "require('v8').setFlagsFromString('--expose-gc'); gc = require('vm').runInNewContext('gc'); 1"


def test_dead_proxies_are_released(js):
    js.run(GC)
    for n in range(1, 71):
        js.request("set", json.dumps([ref(n), ref(n)]).encode(), path=["x"], refs=[["py", 1, n]])
    js.run("x = 1; setTimeout(() => { gc(); setTimeout(() => {}, 20) }, 1); await new Promise(done => setTimeout(done, 60))")
    js.request("status")
    assert {item[2] for item in js.released} >= set(range(1, 60)) and {item[3] for item in js.released} == {1}
    assert len(js.released) == len(set(js.released))


def test_refs_that_nobody_meets_are_released(js):
    for n in range(1, 70):
        js.start("get", path=["Math", "PI"], refs=[["py", 1, n]])
    for _ in range(69):
        assert js.receive()[0]["op"] == "ret"
    got = js.released
    assert set(got) <= {("py", 1, n, 1) for n in range(1, 70)} and len(got) == len(set(got)) >= 64


def test_bodies_beyond_the_limit(js):
    """The limit that hello states: the request is refused by its header, its body dropped as it comes, and all goes on."""
    limit = js.hello["limits"]["body"]
    header = b'{"op":"set","id":901,"path":["x"]}'
    js.requests.sendall(b"%08x%08x%b" % (len(header), limit + 1, header))
    block = b" " * (1 << 20)
    for _ in range((limit + 1) // len(block)):
        js.requests.sendall(block)
    js.requests.sendall(b" " * ((limit + 1) % len(block)))
    reply, _ = js.receive()
    assert reply["re"] == 901 and reply["code"] == "value/too-large"
    assert js.run("1+1") == b"2"
    assert js.fail("const part = 'x'.repeat(2 ** 28); [part, part]")["code"] == "value/too-large"
    assert js.fail("new Uint8Array(2 ** 29)")["code"] == "value/too-large"
    assert js.run("1+1") == b"2"


def test_headers_beyond_the_limit(js):
    js.requests.sendall(b"%08x%08x" % (5 << 20, 3))
    for _ in range(5):
        js.requests.sendall(b" " * (1 << 20))
    js.requests.sendall(b"abc")
    reply, _ = js.receive()
    assert reply["re"] is None and reply["code"] == "wire/unreadable"
    assert js.run("1+1") == b"2"
