"""The rules of the wire, for both kernels."""

import os

import pytest


def test_hello_declares(kernel):
    hello = kernel.hello
    assert hello["op"] == "hello" and hello["protocol"] == "1.0" and hello["language"] == kernel.language
    assert {"eval", "call", "get", "set", "import", "complete", "status"} <= set(hello["operations"])
    assert hello["buffers"] in ("none", "copy", "map") and hello["plain"] is False and os.path.isabs(hello["executable"])


def test_unknown_operation(kernel):
    header, _ = kernel.request("levitate")
    assert header["code"] == "runtime/unsupported" and "levitate" in header["message"]


def test_unknown_fields_are_ignored(kernel):
    assert kernel.request("eval", code="1+1", name="<x>", novelty={"a": 1})[1] == b"2"


@pytest.mark.parametrize("header", [b"xyz", b"[]", b"{}", b'{"op":"eval"}', b"\xff", b'{"op":3,"id":1}', b"3", b"null"])
def test_unreadable_header_has_null_id(kernel, header):
    kernel.requests.sendall(b"%08x%08x%b" % (len(header), 0, header))
    reply, _ = kernel.receive()
    assert reply["op"] == "err" and reply["code"] == "wire/unreadable" and reply["re"] is None
    assert kernel.run("1+1") == b"2"


@pytest.mark.parametrize("body", [
    b"[1,]", b'{"a":1,}', b'{"a":1,"a":2}', b"nul", b"[1", b'"a', b"01", b"1 2", b'["\xff"]', b"1e400", b"NaN", b"[NaN]",
    b'"\x01"', b"\xef\xbb\xbf1", b"Infinity", b"-", b"1.", b".5", b"'a'", b"[1 2]", b'{"a" 1}', b"{1:2}", b'"\\x"',
    b'{"pad":"' + b"x" * 300 + b'","a":1,"a":2}', b'["' + b"x" * 300 + b'",]', b'["' + b"x" * 300 + b'",1e400]', b" ",
])
def test_unreadable_body(kernel, body):
    header, _ = kernel.request("set", body, path=["x"])
    assert header["op"] == "err" and header["code"] == "wire/unreadable", header
    assert kernel.run("1+1") == b"2"


@pytest.mark.parametrize("body", [b'"\\ud800"', b'["\\udc00\\ud800"]', b'{"a":"\\uD800x"}'])
def test_surrogates_do_not_enter(kernel, body):
    assert kernel.request("set", body, path=["x"])[0]["code"] == "value/surrogate"


def test_depth_is_limited(kernel):
    assert kernel.request("set", b"[" * 1000 + b"]" * 1000, path=["deep"])[0]["op"] == "ret"
    assert kernel.run("deep") == b"[" * 1000 + b"]" * 1000
    assert kernel.request("set", b"[" * 1001 + b"]" * 1001, path=["x"])[0]["code"] == "value/depth"
    assert kernel.request("set", b"[" * 100000 + b"]" * 100000, path=["x"])[0]["code"] == "value/depth"
    assert kernel.fail("[deep]")["code"] == "value/depth"


def test_pipelined_requests_keep_order(kernel):
    wanted = [kernel.start("eval", code="%d+1" % n, name="<x>") for n in range(80)]  # more fills both sockets
    for n, identity in enumerate(wanted):
        header, body = kernel.receive()
        assert header["re"] == identity and body == b"%d" % (n + 1)


def test_large_bodies_both_ways(kernel):
    text = b'"' + b"x" * 20_000_000 + b'"'
    assert kernel.request("set", text, path=["big"])[0]["op"] == "ret"
    assert kernel.run("big") == text
    assert kernel.run("1+1") == b"2"


def test_frames_in_pieces(kernel):
    header = b'{"op":"eval","id":900,"code":"1+1","name":"<x>"}'
    for byte in b"%08x%08x%b" % (len(header), 0, header):
        kernel.requests.sendall(bytes([byte]))
    assert kernel.receive()[1] == b"2"


def test_output_comes_before_the_reply(kernel):
    write = {"py": "import sys; sys.stdout.write('half'); sys.stderr.write('also')",
             "js": "process.stdout.write('half'); process.stderr.write('also'); 1"}[kernel.language]
    kernel.run(write)
    assert os.read(kernel.out, 100) == b"half" and os.read(kernel.err, 100) == b"also"


def test_output_is_live(kernel):
    kernel.start("eval", name="<x>", code={
        "py": "import time; print('now'); time.sleep(60)", "js": "console.log('now'); await new Promise(() => {})",
    }[kernel.language])
    kernel.read_output(b"now\n")
    assert kernel.interrupt_until_reply()[0]["code"] == "runtime/interrupted"


def test_user_may_break_descriptor_1(kernel):
    kernel.request("eval", name="<x>", code={"py": "import os; os.close(1); print(2)", "js": "fs.closeSync(1); console.log(2)"}[kernel.language])
    assert kernel.run("1+1") == b"2"


def test_children_do_not_inherit_the_sockets(kernel):
    code = {"py": "import subprocess; subprocess.run('ls /proc/self/fd', shell=True, capture_output=True, text=True).stdout",
            "js": "child_process.execSync('ls /proc/self/fd').toString()"}[kernel.language]
    inherited = {name for name in os.listdir("/proc/self/fd") if int(name) > 4 and is_inheritable(int(name))}
    assert set(kernel.run(code)[1:-1].decode().split("\\n")) <= {"0", "1", "2", "3", ""} | inherited  # 3: the listing's


def is_inheritable(descriptor):
    try:
        return os.get_inheritable(descriptor)
    except OSError:
        return False


def test_exit_ends_the_session(js):
    js.start("eval", code="process.exit(7)", name="<x>")
    assert os.waitstatus_to_exitcode(js.wait()) == 7


def test_fork_does_not_answer(py):
    py.run("import os\npid = os.fork()")
    assert py.run("os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])") == b"0"
    assert py.run("1+1") == b"2"
