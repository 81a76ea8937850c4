"""Large bodies of the Python kernel: its fast encoders are exact, and so is what `orjson` says where that is there."""

import collections
import decimal
import enum
import importlib.util
import json
import math
import uuid

import hypothesis
import pytest
from driver import FILES
from hypothesis import strategies as st
from test_values import same, values


def load_codec():
    found = importlib.util.spec_from_file_location("kernel_for_bulk", FILES / "kernel.py")
    codec = importlib.util.module_from_spec(found)
    found.loader.exec_module(codec)
    return codec


def like_orjson(value):
    """What orjson does to the values that matter here."""
    def plain(value):
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        if isinstance(value, dict):
            if not all(type(key) is str for key in value):
                raise TypeError("Dict key must be str")
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (enum.Enum, uuid.UUID)):
            return str(value)
        if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
            raise TypeError("Integer exceeds 64-bit range")
        return value

    try:
        return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise TypeError from error


try:
    from orjson import dumps as real
except ImportError:
    real = like_orjson


@pytest.fixture(params=[False, like_orjson, real], ids=["json", "stub", "orjson"], scope="module")
def codec(request):
    codec = load_codec()
    codec.State.quick = request.param
    codec.QUICK = 0
    return codec


@hypothesis.settings(max_examples=40, deadline=None, print_blob=True, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(st.lists(values, max_size=6), st.integers(0, 3))
def test_long_lists_are_exact(codec, items, wrap):
    long = (items * 200)[:700]
    value = [long, {"a": long}, {"rows": long, "n": 1, "m": {}}, [1, long]][wrap]
    assert same(codec.decode(codec.encode(value)), value)


class Text(str):
    pass


class Whole(int):
    pass


ODD = [
    (1, 2), {1: 2}, {True: 1}, {None: 1}, {Text("a"): 1}, Text("a"), Whole(3), [Whole(3)], float("nan"), [float("inf")], -0.0, [{"a": -0.0}],
    {"_type": "Int"}, [{"a": {"_type": 1}}], 2**64, -(2**63) - 1, collections.OrderedDict(a=1), {"a": (1,)}, enum.IntEnum("E", "A").A, uuid.UUID(int=5),
    decimal.Decimal(1), b"x", {1}, [None, float("nan")], ["null", float("nan")], collections.namedtuple("N", "x")(1),
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("place", [lambda odd: [odd] * 3, lambda odd: [1] * 700 + [odd], lambda odd: {"rows": [{"a": odd, "b": None}] * 600}])
def test_what_json_cannot_say_is_never_plain(codec, odd, place):
    assert codec.encode_plain(place(odd)) is None or codec.encode_plain(place(odd)) == exactly(codec, place(odd))


def exactly(codec, value):
    out = codec.Output({})
    codec.write(value, out, 1)
    assert not out.late and "_type" not in "".join(out.parts)
    return "".join(out.parts).encode()


def test_a_dict_that_had_another_key(codec):
    once = {1: 1, "a": 2}
    del once[1]
    assert codec.encode([once] * 600) == b"[" + b",".join([b'{"a":2}'] * 600) + b"]"


@pytest.mark.parametrize("make", [lambda: [0] * 600, lambda: {"a": [0] * 600}, lambda: []])
def test_cycles_are_errors(codec, make):
    value = make()
    (value["a"] if type(value) is dict else value).append(value)
    with pytest.raises(codec.Failure) as caught:
        codec.encode(value)
    assert caught.value.code == "value/cycle"


def test_the_users_modules_do_not_show_the_encoder():
    import sys

    codec, known = load_codec(), set(sys.modules)
    codec.encode([{"a": "x" * 2000}] * 2000)
    assert codec.State.quick is not None and not [name for name in set(sys.modules) - known if "orjson" in name]
