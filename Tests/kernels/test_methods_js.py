"""Methods of JavaScript objects, read as members and called from elsewhere."""

import json


def held(js, code):
    return json.loads(js.request("eval", code=code, name="<held>", hold=True)[1])["ref"]


def member(js, ref, name):
    header, body = js.request("get", ref=ref, path=[name])
    assert header["op"] == "ret" and header["type"] == "function", header
    return json.loads(body)["ref"]


def call(js, ref, *arguments):
    header, body = js.request("call", json.dumps([list(arguments), {}]).encode(), ref=ref)
    assert header["op"] == "ret", header
    return json.loads(body)


def test_a_method_keeps_its_receiver(js):
    js.request("eval", code="class A { constructor(v) { this.v = v } m(x) { return this.v + x } }; 0", name="<a>")
    one, two = held(js, "new A(10)"), held(js, "new A(20)")
    first, second = member(js, one, "m"), member(js, two, "m")
    assert [call(js, first, 1), call(js, second, 1), call(js, first, 2)] == [11, 21, 12]
    assert member(js, one, "m") == first


def test_at_home_it_is_the_function_itself(js):
    one = held(js, "globalThis.o = { m() { return this === o } }")
    method = member(js, one, "m")
    value = {"_type": "Ref", "owner": "js", "generation": 1, "ref": method, "type": "function", "repr": "", "callable": True}
    body = json.dumps({"f": value}).encode()
    header, result = js.request("eval", body, code="f === o.m", name="<b>", refs=[["js", 1, method]])
    assert json.loads(result) is True, header
    assert call(js, method) is True
