"""Many calls in one request: `call` with `each`, a vector of results, and which call failed."""

import json

import pytest

FUNCTIONS = {"py": "f = lambda x, by=1: 10 * by // x", "js": "globalThis.f = (x, {by = 1} = {}) => { if (x === 0) throw new RangeError('zero'); return Math.floor(10 * by / x) }; 1"}


def each(kernel, items, keywords={}):
    return kernel.request("call", json.dumps([items, keywords]).encode(), path=["f"], each=True)


def test_results_come_in_order(kernel):
    kernel.request("eval", code=FUNCTIONS[kernel.language], name="<f>")
    assert "each" in kernel.hello["operations"]
    assert json.loads(each(kernel, [1, 2, 5])[1]) == [10, 5, 2]
    assert json.loads(each(kernel, [1, 2, 5], {"by": 2})[1]) == [20, 10, 4]
    assert json.loads(each(kernel, [])[1]) == []


@pytest.mark.parametrize("items,index", [([0], 0), ([5, 2, 0, 1, 0], 2)])
def test_the_first_failure_is_named(kernel, items, index):
    kernel.request("eval", code=FUNCTIONS[kernel.language], name="<f>")
    header, _ = each(kernel, items)
    assert (header["op"], header["index"]) == ("err", index)
    assert json.loads(each(kernel, [1])[1]) == [10]


def test_awaited_in_order(kernel):
    waiting = {
        "py": "import asyncio\nasync def f(x):\n  await asyncio.sleep(0)\n  return 10 // x",
        "js": "globalThis.f = async (x) => { await null; if (x === 0) throw new RangeError('zero'); return 10 / x }; 1",
    }
    kernel.request("eval", code=waiting[kernel.language], name="<f>")
    assert json.loads(each(kernel, [1, 2])[1]) == [10, 5]
    assert each(kernel, [1, 0, 2, 0])[0]["index"] == 1
    assert kernel.run("1+1") == b"2"
