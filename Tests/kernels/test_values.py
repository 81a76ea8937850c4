"""Values cross exactly: Python's own types, what JavaScript makes of them, and chains through both."""

import datetime
import decimal
import fractions
import json
import math
import zoneinfo

import hypothesis
import pytest
from hypothesis import strategies as st

BODIES_OF_PYTHON = [
    ("None", b"null"), ("True", b"true"), ("0", b"0"), ("2**53+1", b"9007199254740993"), ("10**30", b"1" + b"0" * 30),
    ("1.0", b"1.0"), ("1e20", b"1e+20"), ("float('nan')", b'{"_type":"Float","value":"NaN"}'),
    ("-float('inf')", b'{"_type":"Float","value":"-Infinity"}'), ("-0.0", b'{"_type":"Float","value":"-0.0"}'),
    ("[-0.0, '-0.0,']", b'[{"_type":"Float","value":"-0.0"},"-0.0,"]'), ("-0.05", b"-0.05"),
    ("(1, (2,))", b'{"_type":"Tuple","items":[1,{"_type":"Tuple","items":[2]}]}'),
    ("{1: 'a'}", b'{"_type":"Map","entries":[[1,"a"]]}'), ("{}", b"{}"), ("{'a': {None: 1}}", b'{"a":{"_type":"Map","entries":[[null,1]]}}'),
    ("{'_type': 'Int'}", b'{"_type":"Map","entries":[["_type","Int"]]}'), ("{7}", b'{"_type":"Set","items":[7]}'),
    ("b'\\x00\\xff'", b'{"_type":"Bytes","base64":"AP8="}'), ("1+2j", b'{"_type":"Complex","re":1.0,"im":2.0}'),
    ("__import__('decimal').Decimal('1.10')", b'{"_type":"Decimal","value":"1.10"}'),
    ("__import__('fractions').Fraction(1, 3)", b'{"_type":"Fraction","value":"1/3"}'),
    ("__import__('datetime').date(2024, 2, 29)", b'{"_type":"Date","value":"2024-02-29"}'),
    ("__import__('datetime').timedelta(-1, 5, 7)", b'{"_type":"Duration","value":"-P0DT86394.999993S"}'),
    ("'é\\u2028\\n\"'", '"é\u2028\\n\\""'.encode()),
]


@pytest.mark.parametrize("code,body", BODIES_OF_PYTHON)
def test_python_encodes(py, code, body):
    assert py.run(code) == body


REFS_OF_PYTHON = [
    "collections.OrderedDict()", "collections.defaultdict(int)", "collections.Counter('a')", "P(1)", "Color.RED", "S('a')", "I(1)",
    "F(1.0)", "L()", "T()", "frozenset()", "bytearray()", "range(2)", "iter([])", "memoryview(b'')", "D()", "{I(1): 2}", "{S('a'): 1}", "int", "len",
]


@pytest.mark.parametrize("wrap", ["%s", "[%s]", "{'a': [1, %s]}"])
def test_subclasses_are_refs(py, wrap):
    py.run("""
import collections, enum, dataclasses
P = collections.namedtuple('P', 'x')
Color = enum.IntEnum('Color', 'RED')
class S(str): pass
class I(int): pass
class F(float): pass
class L(list): pass
class T(tuple): pass
@dataclasses.dataclass
class D: x: int = 1
""")
    for code in REFS_OF_PYTHON:
        header, body = py.request("eval", code=wrap % code, name="<x>")
        assert header["op"] == "ret" and len(header["refs"]) == 1 and body.count(b'"_type":"Ref"') == 1, (code, header, body)


BODIES_OF_JAVASCRIPT = [
    ("null", b"null"), ("undefined", b'{"_type":"Undefined"}'), ("[undefined]", b'[{"_type":"Undefined"}]'), ("NaN", b'{"_type":"Float","value":"NaN"}'),
    ("[-0]", b'[{"_type":"Float","value":"-0.0"}]'), ("[1e20]", b"[100000000000000000000.0]"), ("1e300", b"1e+300"), ("[2 ** 53]", b"[9007199254740992.0]"),
    ("2n ** 64n", b"18446744073709551616"), ("5n", b"5"), ("new Map([[1, 2]])", b'{"_type":"Map","entries":[[1,2]]}'),
    ("new Set([[1]])", b'{"_type":"Set","items":[[1]]}'), ("new Uint8Array([0, 255])", b'{"_type":"Bytes","base64":"AP8="}'),
    ("new Date(1.5e12)", b'{"_type":"DateTime","value":"2017-07-14T02:40:00.000Z"}'), ("Symbol.for('a')", b'{"_type":"Symbol","value":"a"}'),
    ("({_type: 'Int', value: '1'})", b'{"_type":"Map","entries":[["_type","Int"],["value","1"]]}'), ("({['__proto__']: 1})", b'{"__proto__":1}'),
    ("({a: undefined})", b'{"a":{"_type":"Undefined"}}'), ("1.5", b"1.5"), ("'\\u2028'", '"\u2028"'.encode()),
]


@pytest.mark.parametrize("code,body", BODIES_OF_JAVASCRIPT)
def test_javascript_encodes(js, code, body):
    assert js.run(code) == body


@pytest.mark.parametrize("body,test", [
    (b"9007199254740993", "x === 9007199254740993n"), (b"[9007199254740993]", "x[0] === 9007199254740993n"), (b"1e300", "x === 1e300"),
    (b"100000000000000000000.0", "x === 1e20"), (b'{"b":1,"1":2}', "x instanceof Map && [...x.keys()].join() === 'b,1'"),
    (b'{"__proto__":1}', "Object.keys(x).join() === '__proto__'"), (b'{"_type":"Undefined"}', "x === undefined"),
    (b'{"_type":"Bytes","base64":"AP8="}', "x instanceof Uint8Array && x[1] === 255"), (b'{"_type":"Float","value":"-0.0"}', "Object.is(x, -0)"),
    (b'{"_type":"DateTime","value":"2024-01-02T03:04:05+00:00"}', "x instanceof Date && x.getUTCHours() === 3"),
    (b'{"_type":"DateTime","value":"2024-01-02T03:04:05.000001+00:00"}', "x instanceof meta.Tagged"), (b'{"_type":"Tuple","items":[1]}', "x.tag === 'Tuple'"),
])
def test_javascript_decodes(js, body, test):
    assert js.request("set", body, path=["x"])[0]["op"] == "ret"
    assert js.run(test) == b"true"


keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(["_type", "__proto__", "1", "-0.0,", "toJSON"])
atoms = (
    st.none() | st.booleans() | st.integers() | st.integers(2**52, 2**70) | st.floats() | keys | st.binary(max_size=9)
    | st.decimals(allow_nan=False) | st.fractions() | st.dates() | st.timedeltas() | st.complex_numbers(allow_nan=False)
    | st.datetimes(timezones=st.none() | st.just(datetime.timezone.utc) | st.just(zoneinfo.ZoneInfo("Europe/Berlin")), allow_imaginary=False)
    | st.times() | st.sampled_from([0, -1, 2**53, -(2**53), 10**40, 1e20, 1e300, 5e-324, -0.0])
)
hashables = st.recursive(st.integers() | keys | st.binary(max_size=4) | st.dates(), lambda inner: st.tuples(inner, inner), max_leaves=3)
values = st.recursive(atoms, lambda inner: (
    st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5) | st.dictionaries(hashables, inner, max_size=4)
    | st.lists(inner, max_size=4).map(tuple) | st.sets(hashables, max_size=4)), max_leaves=25)


def merged(value):
    """What comes home through JavaScript: a safe integral float is an integer there; nothing else changes."""
    kind = type(value)
    if kind is float and value.is_integer() and abs(value) < 2**53 and math.copysign(1, value) * value != 0 or kind is float and repr(value) == "0.0":
        return int(value)
    if kind in (list, tuple, set):
        return kind(merged(item) for item in value)
    return {merged(key): merged(item) for key, item in value.items()} if kind is dict else value


def same(one, two):
    """Equal, of the same type, in the same order of keys, to any depth."""
    if type(one) is not type(two):
        return False
    if type(one) is dict:
        return len(one) == len(two) and all(same(a, b) for a, b in zip(one.items(), two.items()))
    if type(one) in (list, tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if type(one) is complex:
        return one == two
    if type(one) is datetime.datetime:
        return one == two and str(one.tzinfo) == str(two.tzinfo) and one.fold == two.fold
    return repr(one) == repr(two) if type(one) is not set else one == two


@pytest.fixture(scope="module")
def chain():
    from driver import FILES, Kernel
    import importlib.util

    found = importlib.util.spec_from_file_location("kernel_under_test", FILES / "kernel.py")
    codec = importlib.util.module_from_spec(found)
    found.loader.exec_module(codec)
    kernels = Kernel("py"), Kernel("js")
    yield codec, *kernels
    for kernel in kernels:
        kernel.close()


def through(kernel, body):
    header, _ = kernel.request("set", body, path=["x"])
    assert header["op"] == "ret", header
    return kernel.run("x")


@hypothesis.settings(max_examples=400, deadline=None, print_blob=True, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(values)
def test_chain_is_the_identity(chain, value):
    codec, py, js = chain
    body = codec.encode(value)
    assert same(codec.decode(body), value)
    assert same(codec.decode(through(py, body)), value)
    home = through(py, through(js, through(py, body)))
    assert same(codec.decode(home), merged(value)), home


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | keys,
                           lambda inner: st.lists(inner, max_size=6) | st.dictionaries(keys.filter(lambda key: key != "_type"), inner, max_size=6), max_leaves=60)


@hypothesis.settings(max_examples=300, deadline=None, print_blob=True, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(json_values)
def test_plain_json_is_read_as_json(chain, value):
    codec, _, js = chain
    text = json.dumps(value, ensure_ascii=False, indent=1).encode()
    assert same(codec.decode(text), value)
    assert same(codec.decode(through(js, text)), merged(value))
