"""Handles of the Python kernel: what it holds for others, and its proxies of what others hold."""

import json

import pytest
from peer_py import Peer, ref


@pytest.fixture
def py():
    kernel = Peer("py")
    yield kernel
    kernel.close()


CLASSES = """
import collections
class Point:
    def __init__(self, x, y=2): self.x, self.y = x, y
    def __repr__(self): return 'Point(%r)' % self.x
    def move(self, by, *, times=1): self.x += by * times; return self
    def __eq__(self, other): return isinstance(other, Point) and self.x == other.x
    def __hash__(self): return 7
class Bag(collections.OrderedDict): pass
p = Point(1)
"""


@pytest.fixture
def shop(py):
    py.run(CLASSES)
    return py


def test_an_object_crosses_as_a_ref(shop):
    header, body = shop.request("eval", code="p", name="<x>")
    assert header["type"] == "Point" and header["refs"] == [["py", 1, 1]]
    assert json.loads(body) == ref(1, "py", 1, "Point", "Point(1)")
    assert json.loads(shop.run("print"))["callable"] is True


def test_one_object_has_one_ref_and_a_frame_lists_it_once(shop):
    header, body = shop.request("eval", code="[p, {'a': p}, Point(5)]", name="<x>")
    numbers = [json.loads(body)[0]["ref"], json.loads(body)[1]["a"]["ref"], json.loads(body)[2]["ref"]]
    assert numbers == [1, 1, 2] and header["refs"] == [["py", 1, 1], ["py", 1, 2]]


def test_refs_as_keys_and_in_sets(shop):
    assert json.loads(shop.run("{p: [p]}"))["entries"][0][0]["ref"] == 1
    assert json.loads(shop.run("{p}"))["items"][0]["ref"] == 1
    assert json.loads(shop.run("(1, p)"))["items"][1]["ref"] == 1


def test_the_object_goes_when_the_counts_agree(shop):
    shop.run("import weakref; w = weakref.ref(p)")
    for _ in range(3):
        shop.run("p")
    shop.run("del p")
    shop.release(["py", 1, 1, 2])
    assert shop.run("w() is None") == b"false"
    shop.release(["py", 1, 1, 1])
    assert shop.run("w() is None") == b"true" and shop.held() == 0
    assert shop.request("get", ref=1)[0]["code"] == "session/stale-handle"


def test_numbers_are_never_reused(shop):
    first = shop.hold("object()")
    shop.release(["py", 1, first, 1])
    assert shop.hold("object()") == first + 1


def test_a_failed_frame_counts_nothing(shop):
    assert shop.fail("a = [p]; a.append(a); a")["code"] == "value/cycle"
    assert shop.held() == 0


@pytest.mark.parametrize("entries", [[["py", 2, 1, 1]], [["js", 1, 1, 1]], [["py", 1, 99, 1]], []])
def test_releases_that_mean_nothing(shop, entries):
    shop.hold("p")
    shop.release(*entries)
    assert shop.held() == 1


@pytest.mark.parametrize("refs", [3, [3], [[]], [["py", 1, "1", 1]], [["py", 1, 1, 0]], [["py", 1, 1, -1]], None])
def test_malformed_releases_are_refused(shop, refs):
    shop.hold("p")
    shop.send({"op": "release", "refs": refs})
    assert shop.receive()[0]["code"] == "wire/unreadable"
    assert shop.held() == 1


def test_home_coming_is_the_very_object(shop):
    number = shop.hold("p")
    own = ref(number, "py")
    header, _ = shop.request("set", [own, {"a": own}], path=["back"], refs=[["py", 1, number]])
    assert header["op"] == "ret", header
    assert shop.run("back[0] is p and back[1]['a'] is p") == b"true"


@pytest.mark.parametrize("body,refs,code", [
    (ref(99, "py"), [["py", 1, 99]], "session/stale-handle"),
    (ref(1, "py", 2), [["py", 2, 1]], "session/stale-handle"),
    (ref(1, "py"), [], "wire/unreadable"),
    (ref(5, "js"), None, "wire/unreadable"),
    (ref(5, "js"), [["js", 1, 6]], "wire/unreadable"),
    (ref(5, "js"), [["js", 1]], "wire/unreadable"),
    (ref(5, "js"), [["js", 1, "5"]], "wire/unreadable"),
    (ref(5, "js"), 3, "wire/unreadable"),
    ({"_type": "Ref"}, [["js", 1, 5]], "wire/unreadable"),
    ({"_type": "Ref", "owner": "js", "generation": 1, "ref": True, "type": "", "repr": "", "callable": False}, [["js", 1, 5]], "wire/unreadable"),
    (ref(5, "js", repr=None), [["js", 1, 5]], "wire/unreadable"),
    ({"_type": ["Ref"]}, None, "wire/unreadable"),
])
def test_refused_refs(shop, body, refs, code):
    shop.hold("p")
    header, _ = shop.request("set", body, path=["x"], **({} if refs is None else {"refs": refs}))
    assert header["op"] == "err" and header["code"] == code, header
    assert shop.run("1+1") == b"2"


def test_refused_frames_are_given_back(shop):
    shop.request("set", [ref(5), ref(7)], path=["x"], refs=[["js", 1, 5]])
    shop.request("status")
    assert shop.releases == [["js", 1, 5, 1]]


# ------------------------------------------------------------------------------------------ operations on a ref


def test_attributes_items_and_calls(shop):
    number = shop.hold("p")
    assert shop.request("get", ref=number, path=["x"])[1] == b"1"
    assert shop.request("set", 40, ref=number, path=["x"])[0]["op"] == "ret"
    assert shop.request("call", [[2], {"times": 1}], ref=number, path=["move"])[0]["refs"] == [["py", 1, number]]
    assert shop.run("p.x") == b"42"
    bag = shop.hold("Bag(a=1)")
    assert shop.request("get", "a", ref=bag, item=True)[1] == b"1"
    assert shop.request("set", ["b", [2]], ref=bag, item=True)[0]["op"] == "ret"
    assert shop.request("get", "b", ref=bag, item=True)[1] == b"[2]"
    assert shop.request("call", [[5], {"y": 6}], ref=shop.hold("Point"))[0]["type"] == "Point"


def test_missing_attribute(shop):
    header, _ = shop.request("get", ref=shop.hold("p"), path=["mov"])
    assert header["code"] == "runtime/missing" and "Point has no mov" in header["message"] and "move" in header["message"]


def test_item_of_what_has_none(shop):
    header, _ = shop.request("get", 1, ref=shop.hold("p"), item=True)
    assert header["code"] == "runtime/raised" and header["type"] == "TypeError"
    assert shop.request("get", "k", ref=shop.hold("Bag()"), item=True)[0]["type"] == "KeyError"


def test_equal(shop):
    number = shop.hold("p")
    assert shop.request("equal", ref(shop.hold("Point(1)"), "py"), ref=number, refs=[["py", 1, 2]])[1] == b"true"
    assert shop.request("equal", 3, ref=number)[1] == b"false"
    shop.run("class E:\n  def __eq__(self, other): raise LookupError('no')\ne = E()")
    assert shop.request("equal", 3, ref=shop.hold("e"))[0]["type"] == "LookupError"


def test_inspect(shop):
    _, body = shop.request("inspect", ref=shop.hold("Bag(a=1)"))
    record = json.loads(body)
    assert record["length"] == 1 and record["type"] == "Bag" and "popitem" in record["members"] and record["callable"] is False
    assert json.loads(shop.request("inspect", ref=shop.hold("len"))[1])["callable"] is True


def test_items_in_chunks(shop):
    bag = shop.hold("Bag((n, n) for n in range(2500))")
    header, body = shop.request("items", ref=bag, count=1000)
    found = json.loads(body)
    while header["more"]:
        assert header["iterator"] in header["refs"]
        header, body = shop.request("items", ref=header["iterator"][2], count=1000)
        found += json.loads(body)
    assert found == list(range(2500)) and header["type"] == "list"


def test_items_of_a_generator_that_fails_keeps_what_came_before(shop):
    header, body = shop.request("items", ref=shop.hold("(1 // (2 - n) for n in range(9))"), count=10)
    assert json.loads(body) == [0, 1] and header["more"] is True
    header, _ = shop.request("items", ref=header["iterator"][2], count=10)
    assert header["type"] == "ZeroDivisionError"


def test_items_of_a_slow_generator_are_live(shop):
    shop.run("import time, itertools\ndef slow():\n  for n in itertools.count():\n    yield n\n    time.sleep(0.03)")
    header, body = shop.request("items", ref=shop.hold("slow()"), count=1000)
    assert len(json.loads(body)) < 5 and header["more"] is True


def test_items_of_an_async_generator(shop):
    shop.run("import asyncio\nasync def ticks(n):\n  for i in range(n):\n    await asyncio.sleep(0)\n    yield i")
    header, body = shop.request("items", ref=shop.hold("ticks(5)"), count=3)
    assert json.loads(body) == [0, 1, 2] and header["more"]
    header, body = shop.request("items", ref=header["iterator"][2], count=30)
    assert json.loads(body) == [3, 4] and header["more"] is False


@pytest.mark.parametrize("count", [0, -1, "3", 1.5, True, None, [], {}])
def test_refused_counts(shop, count):
    assert shop.request("items", ref=shop.hold("Bag()"), count=count)[0]["code"] == "wire/unreadable"


@pytest.mark.parametrize("number", ["1", None, [1], {}, 1.0, True])
def test_refs_of_odd_types(shop, number):
    shop.hold("p")
    for operation in ("get", "call", "items", "inspect"):
        assert shop.request(operation, ref=number)[0]["code"] == "wire/unreadable"
    assert shop.request("items", ref=77)[0]["code"] == "session/stale-handle"
    assert shop.request("items", ref=1)[0]["type"] == "TypeError"


@pytest.mark.parametrize("operation,fields,body", [
    ("call", {"path": 3}, b""), ("call", {"path": ["len"]}, b"[1]"), ("call", {"path": ["len"]}, b"[[],[]]"), ("call", {}, b""),
    ("set", {"path": ["x"]}, b""), ("set", {"ref": 1}, b"1"), ("set", {"ref": 1, "item": True}, b"[1]"), ("get", {"path": [1]}, b""),
    ("get", {"ref": 1, "item": True}, b""), ("eval", {"code": 3}, b""), ("eval", {"code": "1"}, b"[]"), ("equal", {"ref": 1}, b""),
])
def test_malformed_requests(shop, operation, fields, body):
    shop.hold("p")
    header, _ = shop.request(operation, body, **fields)
    assert header["op"] == "err" and header["code"] == "wire/unreadable", header
    assert shop.run("1+1") == b"2"


# -------------------------------------------------------------------------------------------------- hold and copy


def test_hold(shop):
    header, body = shop.request("eval", code="[1, 2]", name="<x>", hold=True)
    assert header["type"] == "list" and json.loads(body)["repr"] == "[1, 2]"
    assert shop.request("call", [[1], {}], path=["abs"], hold=True)[0]["refs"]
    assert shop.run("import meta; [meta.ref([1]), 2]").startswith(b'[{"_type":"Ref"')


COPIES = [
    ("Bag(a=Bag(b=1))", {"a": {"b": 1}}), ("range(3)", [0, 1, 2]), ("(n for n in 'ab')", ["a", "b"]), ("p", {"x": 1, "y": 2}),
    ("[Color.RED, S('a'), I(3), F(1.5)]", [1, "a", 3, 1.5]), ("D()", {"x": 1, "inner": [{"x": 1, "y": 2}]}), ("Named(1, [2])", {"_type": "Tuple", "items": [1, [2]]}),
    ("frozenset([1])", {"_type": "Set", "items": [1]}), ("bytearray(b'a')", {"_type": "Bytes", "base64": "YQ=="}), ("Slots()", {"one": 1}),
    ("{I(1): 2}", {"_type": "Map", "entries": [[1, 2]]}), ("__import__('array').array('i', [1, 2])", [1, 2]), ("Plain.A", "value"),
    ("__import__('types').MappingProxyType({'a': 1})", {"a": 1}), ("5", 5), ("__import__('types').SimpleNamespace(a=p)", {"a": {"x": 1, "y": 2}}),
]


@pytest.mark.parametrize("code,wanted", COPIES)
def test_copy(shop, code, wanted):
    shop.run("""
import collections, enum, dataclasses
Named = collections.namedtuple('Named', 'x y')
Color = enum.IntEnum('Color', 'RED')
class Plain(enum.Enum): A = 'value'
class S(str): pass
class I(int): pass
class F(float): pass
class Slots:
    __slots__ = ('one', 'unset')
    def __init__(self): self.one = 1
@dataclasses.dataclass
class D:
    x: int = 1
    inner: list = dataclasses.field(default_factory=lambda: [Point(1)])
""")
    header, body = shop.request("eval", code=code, name="<x>", copy=True)
    assert header["op"] == "ret" and json.loads(body) == wanted


@pytest.mark.parametrize("code", ["len", "lambda: 1", "Point", "json", "p.move", "object()"])
def test_functions_are_not_copied(shop, code):
    shop.run("import json")
    assert shop.request("eval", code=code, name="<x>", copy=True)[0]["code"] == "value/uncopyable"
    header, body = shop.request("eval", code="Bag(f=%s)" % code, name="<x>", copy=True)
    assert json.loads(body)["f"]["_type"] == "Ref"


def test_a_copy_of_a_cycle_is_an_error(shop):
    shop.run("p.y = Bag(p=[p])")
    header, _ = shop.request("get", path=["p"], copy=True)
    assert header["code"] == "value/cycle" and header["path"] == ".y.p[0]"
    shop.run("deep = Point(0)\nfor _ in range(2000): deep = Point(deep)")
    assert shop.request("get", path=["deep"], copy=True)[0]["code"] == "value/depth"


# ------------------------------------------------------------------------------------------------------- proxies


def bound(py, code, names, meta=lambda header, body: ({}, None)):
    refs = [[one["owner"], one["generation"], one["ref"]] for one in names.values()]
    return py.evaluate(code, meta, names, refs)


def test_a_proxy_shows_its_record(py):
    _, value = bound(py, "[repr(x), str(x), type(x).__mro__[-2].__name__, callable(x), bool(x), x is y]",
                     {"x": ref(5), "y": ref(5)})
    assert value == ["Point {}", "Point {}", "Handle", False, True, True]
    assert bound(py, "import meta; callable(x) and isinstance(x, meta.Handle)", {"x": ref(6, callable=True)})[1] is True


def test_proxies_travel_on(py):
    header, value = bound(py, "[x, {x: 1}]", {"x": ref(5)})
    assert header["refs"] == [["js", 1, 5]] and value[0] == ref(5) and value[1]["entries"][0][0] == ref(5)


def test_what_a_proxy_asks(py):
    seen = []

    def meta(header, body):
        seen.append({name: header.get(name) for name in ("op", "ref", "path", "item", "refs") if name in header} | {"body": body})
        return {}, {"inspect": {"length": 3, "members": ["a"]}, "equal": True}.get(header["op"], 9)

    _, value = bound(py, "x.a = 1\nx['k'] = 2\nx[3] = x\n[x.b, x['i'], f(1, k=x), len(x), x == y, x != y, x == x, 'a' in dir(x)]",
                     {"x": ref(5), "y": ref(6), "f": ref(7, callable=True)}, meta)
    assert value == [9, 9, 9, 3, True, False, True, True]
    target = {"ref": ["js", 1, 5]}
    assert seen[:6] == [
        {"op": "set", **target, "path": ["a"], "body": 1}, {"op": "set", **target, "item": True, "body": ["k", 2]},
        {"op": "set", **target, "item": True, "refs": [["js", 1, 5]], "body": [3, ref(5)]},
        {"op": "get", **target, "path": ["b"], "body": None}, {"op": "get", **target, "item": True, "body": "i"},
        {"op": "call", "ref": ["js", 1, 7], "refs": [["js", 1, 5]], "body": [[1], {"k": ref(5)}]},
    ]


def test_missing_attributes_of_a_proxy(py):
    missing = {"op": "err", "code": "runtime/missing", "message": "Point has no z", "type": "", "frames": []}
    assert bound(py, "[hasattr(x, 'z'), getattr(x, 'z', 4), hasattr(x, '__array__')]", {"x": ref(5)}, lambda h, b: (missing, b""))[1] == [False, 4, False]
    assert bound(py, "x.z", {"x": ref(5)}, lambda h, b: (missing, b""))[0]["type"] == "AttributeError"


def test_iteration_is_in_chunks(py):
    asked = []

    def meta(header, body):
        asked.append((header["op"], header.get("ref"), header.get("count")))
        if header["op"] == "inspect":
            return {}, {"length": None, "members": []}
        if header["ref"][2] == 5:
            return {"more": True, "iterator": ["js", 1, 6], "refs": [["js", 1, 6]]}, [1, 2]
        return {"more": False}, [3]

    assert bound(py, "[n for n in x]", {"x": ref(5)}, meta)[1] == [1, 2, 3]
    assert asked == [("items", ["js", 1, 5], 1000), ("items", ["js", 1, 6], 1000)]
    py.request("status")
    assert sorted(py.releases) == [["js", 1, 5, 1], ["js", 1, 6, 1]]


def test_membership(py):
    def meta(header, body):
        if header["op"] == "call" and header["path"] == ["__contains__"]:
            return {"op": "err", "code": "runtime/missing", "message": "", "type": ""}, b""
        return {"more": False}, [1, 2]

    assert bound(py, "[2 in x, 7 in x]", {"x": ref(5)}, meta)[1] == [True, False]
    assert bound(py, "2 in x", {"x": ref(5)}, lambda h, b: ({}, True))[1] is True


def test_deletion_is_a_call(py):
    paths = []
    bound(py, "del x.a\ndel x['b']", {"x": ref(5)}, lambda header, body: (paths.append((header["path"], body)), ({}, None))[1])
    assert paths == [(["__delattr__"], [["a"], {}]), (["__delitem__"], [["b"], {}])]


def test_a_dead_proxy_is_released_with_its_count(py):
    for _ in range(3):
        py.request("set", ref(5), path=["x"], refs=[["js", 1, 5]])
    assert py.releases == []
    py.run("del x")
    py.request("status")
    assert py.releases == [["js", 1, 5, 3]]


def test_releases_gather(py):
    py.request("set", [ref(n) for n in range(1, 101)], path=["x"], refs=[["js", 1, n] for n in range(1, 101)])
    py.run("x.clear()")
    py.request("status")
    assert sorted(py.releases) == [["js", 1, n, 1] for n in range(1, 101)]


def test_released_by_hand(py):
    py.request("set", ref(5), path=["x"], refs=[["js", 1, 5]])
    assert py.fail("import meta; meta.release(x); x.a")["code"] == "session/stale-handle"
    assert py.releases == [["js", 1, 5, 1]]
    py.run("del x")
    assert py.fail("meta.release(5)")["type"] == "TypeError"
    py.request("status")
    assert py.releases == [["js", 1, 5, 1]]


def test_fetch_asks_for_a_copy(py):
    _, value = bound(py, "import meta; [meta.fetch(x), meta.fetch(3)]", {"x": ref(5)}, lambda header, body: ({}, [header["op"], header["copy"]]))
    assert value == [["get", True], 3]


def test_proxies_are_not_copied_or_pickled(py):
    assert bound(py, "import copy, pickle\ncopy.copy(x) is x and copy.deepcopy([x])[0] is x", {"x": ref(5)})[1] is True
    assert bound(py, "pickle.dumps(x)", {"x": ref(5)})[0]["type"] == "TypeError"


def test_more_handles_than_a_header_takes(py):
    assert py.fail("[object() for _ in range(100_000)]")["code"] == "value/too-large"
    assert py.held() == 0
    assert len(json.loads(py.run("[object() for _ in range(10_000)]"))) == 10_000


def test_refs_of_a_request_without_effect_are_given_back(py):
    py.request("levitate", ref(5), refs=[["js", 1, 5]])
    py.request("status", refs=[["js", 1, 6]])
    py.request("status")
    assert sorted(py.releases) == [["js", 1, 5, 1], ["js", 1, 6, 1]]


# ------------------------------------------------------------------------------------------------ hostile objects


@pytest.mark.parametrize("body,shown", [
    ("def __repr__(self): return 1 / 0", "<H, whose repr raised ZeroDivisionError>"),
    ("def __repr__(self): return 5", "<H, whose repr raised TypeError>"),
    ("def __repr__(self): raise SystemExit", "<H, whose repr raised SystemExit>"),
    ("def __repr__(self): return repr(self)", "<H, whose repr raised RecursionError>"),
    ("def __repr__(self): return 'a\\n\\x1b[0m\\u2028\\ud800'", "a\\n\\x1b[0m\\u2028\\ud800"),
    ("def __repr__(self): return 'x' * 10**6", "x" * 199 + "…"),
    ("__class__ = property(lambda self: 1 / 0)\n    def __repr__(self): return 'lies'", "lies"),
    ("def __getattribute__(self, name): raise RuntimeError\n    def __repr__(self): return 'closed'", "closed"),
])
def test_reprs_are_short_and_safe(py, body, shown):
    py.run("class H:\n    " + body)
    for code in ("H()", "[H()]"):
        value = json.loads(py.run(code))
        assert (value[0] if code[0] == "[" else value)["repr"] == shown


@pytest.mark.parametrize("code,start", [
    ("collections.OrderedDict((n, n) for n in range(10**6))", "collections.OrderedDict([(0, 0), (1, 1), (2, 2)"), ("type('L', (list,), {})([0] * 10**7)", "L([0, 0, 0"),
    ("type('S', (str,), {})('a' * 10**8)", "'aaa"), ("collections.deque(range(10**6))", "collections.deque([0, 1"), ("frozenset(range(10**6))", "frozenset([0, 1"),
    ("dict.fromkeys(range(10**6)).keys()", "dict_keys([0, 1"), ("type('I', (int,), {})(10 ** 9999)", "<I, whose repr raised ValueError>"),
])
def test_reprs_of_large_containers_are_quick(py, code, start):
    py.run("import collections; v = " + code)
    header, body = py.request("get", path=["v"])
    assert json.loads(body)["repr"].startswith(start)


def test_a_metaclass_that_lies(py):
    py.run("""
class M(type):
    __module__ = __mro__ = __name__ = property(lambda self: 1 / 0)
    def __getattr__(self, name): return 1 / 0
M.__qualname__ = 'M'
class H(metaclass=M): pass
h = H()""")
    assert json.loads(py.run("h"))["type"] == "H"


def test_a_repr_that_never_returns_is_interrupted(py):
    py.run("class H:\n  def __repr__(self):\n    print('go')\n    while True: pass\nh = H()")
    py.start("get", path=["h"])
    py.read_output(b"go\n")
    assert py.interrupt_until_reply()[0]["code"] == "runtime/interrupted"
    assert py.held() == 0


def test_finalizers_that_fail_or_print(py):
    number = py.hold("""
class H:
    def __del__(self):
        print('gone')
        raise ValueError
H()""")
    py.release(["py", 1, number, 1])
    py.read_output(b"gone\n")
    assert py.run("1+1") == b"2" and py.held() == 0


@pytest.mark.parametrize("getter", ["raise LookupError('x')", "while True: print('go', flush=True)"])
def test_getattr_that_fails_or_hangs(py, getter):
    number = py.hold("class H:\n  def __getattr__(self, name):\n    %s\nH()" % getter)
    py.start("get", ref=number, path=["a"])
    if "while" in getter:
        py.read_output(b"go\n")
        header, _ = py.interrupt_until_reply()
    else:
        header, _ = py.receive()
    assert header["code"] == ("runtime/interrupted" if "while" in getter else "runtime/raised")


def test_tagged_cannot_forge_a_ref(py):
    for code in ("meta.Tagged('Ref', {'owner': 'js', 'generation': 1, 'ref': 1})", "meta.Tagged('X', {'_type': 'Ref'})"):
        assert json.loads(py.run("import meta; " + code))["owner"] == "py"


def test_held_files_are_flushed_at_the_end(py, tmp_path):
    py.hold("f = open(%r, 'w'); f.write('text'); g = f; del f; g" % str(tmp_path / "x"))
    py.run("del g")
    py.requests.shutdown(2)
    py.wait()
    assert (tmp_path / "x").read_text() == "text"


def test_a_million_handles_leave_nothing_behind(py):
    py.run("class C: pass\nimport gc, resource")
    for _ in range(20):
        header, body = py.request("eval", code="[C() for _ in range(5000)]", name="<x>")
        py.release(*[[*one, 1] for one in header["refs"]])
    assert py.held() == 0 and py.run("sum(type(o) is C for o in gc.get_objects())") == b"0"
