"""Source, paths, errors and interrupts, for both kernels."""

import json

import pytest


def test_definitions_persist(kernel):
    kernel.run({"py": "x = 20\ndef f(a): return a * 2", "js": "const x = 20; let y = 1; class C {}; function f(a) { return a * 2 }"}[kernel.language])
    assert kernel.run("f(x) + 2") == b"42"


def test_names_are_bound_for_one_run(kernel):
    kernel.request("set", b"1", path=["kept"])
    assert kernel.run("[kept, fresh]", kept=5, fresh=6) == b"[5,6]"
    assert kernel.run("kept") == b"1"
    assert kernel.fail("fresh")["type"] in ("NameError", "ReferenceError")


def test_top_level_await(kernel):
    kernel.run({"py": "import asyncio\nz = await asyncio.sleep(0.001, 7)",
                "js": "const z = await new Promise(done => setTimeout(done, 1, 7))"}[kernel.language])
    assert kernel.run("z") == b"7"


def test_syntax_error_names_the_line(kernel):
    error = kernel.fail({"py": "a = 1\nb = = 2", "js": "var a = 1\nvar b = = 2"}[kernel.language])
    assert error["type"] == "SyntaxError"
    assert error["frames"][-1]["line"] == 2 and "= = 2" in error["frames"][-1]["text"]


def test_frames_are_the_users(kernel):
    kernel.run({"py": "\ndef f():\n    return missing", "js": "\nfunction f() {\n  return missing\n}"}[kernel.language])
    error = kernel.fail("1\nf()")
    frames = [(frame["line"], frame["text"]) for frame in error["frames"]]
    assert frames == [(2, "f()"), (3, "return missing")]
    assert error["frames"][1]["function"] == "f"


def test_call_by_path(kernel):
    path, arguments, wanted = {"py": ("os.path.join", "ab", b'"a/b"'), "js": ("path.join", "ab", b'"a/b"')}[kernel.language]
    assert kernel.call(path, *arguments)[1] == wanted


@pytest.mark.parametrize("path", ["os.nonesuch", "nonesuch.x", "nonesuch"])
def test_missing_path(kernel, path):
    error, _ = kernel.call(path)
    assert error["code"] == "runtime/missing" and "nonesuch" in error["message"]


def test_near_names(kernel):
    error, _ = kernel.call({"py": "math.sqroot", "js": "Math.sqroot"}[kernel.language], 4)
    assert error["code"] == "runtime/missing" and "sqrt" in error["message"]


def test_found_root_has_no_fallback(kernel):
    kernel.request("set", b"{}", path=["os"])
    assert kernel.call({"py": "os.getcwd", "js": "os.hostname"}[kernel.language])[0]["code"] == "runtime/missing"


def test_import(kernel):
    assert kernel.request("import", path=[{"py": "math", "js": "util"}[kernel.language]], **{"as": "m"})[1] == b"null"
    assert kernel.run({"py": "m.sqrt(4)", "js": "m.inspect(4)"}[kernel.language]) in (b"2.0", b'"4"')


def test_complete(kernel):
    header, body = kernel.request("complete", code="impo", cursor=4)
    assert json.loads(body)["start"] == 0 and "import " in json.loads(body)["matches"]


def test_keywords(kernel):
    if kernel.language == "py":
        assert kernel.call("sorted", [1, 3, 2], reverse=True)[1] == b"[3,2,1]"
    else:
        assert kernel.call("Object.assign", {"a": 1}, b=2)[1] == b'{"a":1,"b":2}'


def test_meta_is_there(kernel):
    assert kernel.run({"py": "import meta; [meta.Error.__name__, meta.Tagged.__name__]",
                       "js": "[meta.Error.name, meta.Tagged.name]"}[kernel.language]) == b'["Error","Tagged"]'


BUSY = {
    "py": ["print('go')\nwhile True: pass", "import time\nprint('go')\ntime.sleep(60)",
           "import asyncio\nprint('go')\nawait asyncio.sleep(60)",
           "import subprocess\nprint('go')\nsubprocess.run(['sleep', '60'])",
           "class E(Exception):\n  def __str__(self):\n    print('go')\n    while True: pass\nraise E"],
    "js": ["console.log('go'); while (1);", "console.log('go'); new Promise(() => {})",
           "console.log('go'); child_process.spawnSync('sleep', ['60'])", "await null; console.log('go'); for (;;);",
           "Promise.resolve().then(() => { console.log('go'); for (;;); })"],
}


@pytest.mark.parametrize("case", range(5))
def test_interrupt_keeps_state(kernel, case):
    kernel.request("set", b"[1]", path=["state"])
    kernel.start("eval", code=BUSY[kernel.language][case], name="<x>")
    kernel.read_output(b"go\n")
    assert kernel.interrupt_until_reply()[0]["code"] == "runtime/interrupted"
    assert kernel.run("state") == b"[1]"


def test_interrupt_of_a_call(py):
    py.start("call", b"[[60],{}]", path=["time", "sleep"])
    while "S" != open("/proc/%d/stat" % py.pid).read().rsplit(")", 1)[1].split()[0]:
        pass
    py.interrupt()
    reply, _ = py.receive()
    assert reply["op"] == "ret" or reply["code"] == "runtime/interrupted"


def test_late_interrupts_are_dropped(kernel):
    for n in range(30):
        header, body = kernel.request("eval", code="1+1", name="<x>")
        assert body == b"2" or header["code"] == "runtime/interrupted"
        kernel.interrupt()
    while kernel.request("status")[0]["op"] == "err":
        pass
    assert kernel.run("1+1") == b"2"


def test_interrupts_at_any_moment_lose_no_reply(kernel):
    """Signals at a stream of small requests: one reply for each, interrupted or not, and the stream stays whole."""
    for round in range(40):
        wanted = {kernel.start("eval", code="[1,2,3]", name="<x>") for _ in range(20)}
        kernel.interrupt()
        while wanted:
            header, body = kernel.receive()
            wanted.discard(header["re"])
            assert header["re"] is not None
            assert header["op"] == "ret" and body == b"[1,2,3]" or header["code"] == "runtime/interrupted"
    while kernel.request("status")[0]["op"] == "err":
        pass
    assert kernel.run("1+1") == b"2"


HOSTILE = {
    "py": ["raise SystemExit(3)", "raise KeyboardInterrupt", "raise BaseException('x')", "def f(): f()\nf()", "[0] * 10**14",
           "class E(Exception):\n  def __str__(self): return 1/0\nraise E",
           "class E(Exception):\n  def __repr__(self): return 1/0\nraise E()",
           "a, b = ValueError(), TypeError()\na.__cause__, b.__cause__ = b, a\nraise a",
           "raise BaseExceptionGroup('g', [ValueError(1), KeyboardInterrupt()]) if 'ExceptionGroup' in dir(__builtins__) else ValueError",
           "a = []; a.append(a); a", "d = {}; d['x'] = [d]; d", "'\\ud800'", "{'a': '\\ud800'}", "x = \0",
           "raise type('T', (Exception,), {'__module__': 5})()", "import sys; sys.stdout = None; 1/0",
           "import sys; sys.stderr = 3; 1/0", "import sys; sys.setrecursionlimit(60); 1/0", "open('/proc/nonexistent')"],
    "js": ["throw null", "throw undefined", "throw {a: 1}", "throw 'text'", "throw Symbol('s')", "function f() { f() }; f()",
           "const e = new Error('a'); Object.defineProperty(e, 'stack', {get() { throw 1 }}); throw e",
           "const e2 = new Error('a'); Object.defineProperty(e2, 'message', {get() { throw 1 }}); throw e2",
           "throw new Proxy({}, {get() { throw 1 }, getPrototypeOf() { throw 2 }})", "({get a() { throw 1 }})",
           "a = []; a.push(a); a", "d = {}; d.x = [d]; d", "'\\ud800'", "({a: '\\udc00'})", "Promise.reject(new Error('x'))", "x = \0"],
}


@pytest.mark.parametrize("language,code", [(name, code) for name, codes in HOSTILE.items() for code in codes])
def test_hostile_code_is_an_error(language, code, request):
    kernel = request.getfixturevalue(language)
    error = kernel.fail(code)
    assert error["code"].split("/")[0] in ("runtime", "value") and isinstance(error["message"], str)
    assert kernel.run("1+1") == b"2"


@pytest.mark.parametrize("code,path", [("[1,[0,bad]]", "[1][1]"), ("{'a':[bad]}", ".a[0]"), ("{'a b':{'c':bad}}", "c")])
def test_errors_name_the_place(kernel, code, path):
    kernel.run({"py": "bad = '\\ud800'; 1", "js": "bad = '\\ud800'; 1"}[kernel.language])
    error = kernel.fail("(%s)" % code)
    assert error["code"] in ("value/surrogate", "value/uncopyable") and error["path"].endswith(path)


def test_polluted_prototypes(js):
    js.run("""
        Object.prototype.toJSON = () => 3; Object.prototype.get = 1; Array.prototype.push = Array.prototype.map = null;
        JSON.parse = JSON.stringify = null; Array.isArray = Object.keys = null; Map.prototype.set = Set.prototype.add = null;
        Promise.prototype.then = null; String.prototype.slice = null; Function.prototype.call = null;
        Buffer.from = null; RegExp.prototype.exec = null; Reflect.apply = null;
        globalThis.process = globalThis.Buffer = globalThis.Promise = globalThis.Map = null; 1""")
    assert js.request("eval", b'{"x":[{"a":"b"}]}', code="x", name="<x>")[1] == b'[{"a":"b"}]'
    assert js.fail("null.x")["type"] == "TypeError"


def test_uncaught_outside_a_request(js):
    js.run("setTimeout(() => { throw new Error('later') }, 1); Promise.reject(new Error('unhandled')); 1")
    js.run("new Promise(done => setTimeout(done, 20))")
    text = js.errors()
    assert "later" in text and "unhandled" in text
    assert js.run("1+1") == b"2"


def test_loop_lives_between_requests(js):
    js.run("setTimeout(() => console.log('tick'), 5); 1")
    js.read_output(b"tick\n")
    assert js.run("1+1") == b"2"


def test_loop_of_python_lives_on(py):
    py.run("import asyncio\nasync def f():\n    await asyncio.sleep(0.001)\n    return 3")
    py.run("task = asyncio.ensure_future(f())\nawait asyncio.sleep(0)")
    assert py.run("await task") == b"3"


def test_tracebacks_and_sources(py):
    py.run("def f():\n    return 1/0")
    assert b"return 1/0" in py.run("import traceback\ntry: f()\nexcept Exception: s = traceback.format_exc()\ns")
    assert py.run("import inspect; inspect.getsource(f)") == b'"def f():\\n    return 1/0\\n"'


def test_modules_of_node(js):
    assert js.run("(await import('os')).EOL") == b'"\\n"'
    assert js.run("require('path').join('a', 'b') + fs.existsSync('/')") == b'"a/btrue"'
    assert js.errors() == ""
