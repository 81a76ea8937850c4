"""Another bridge's small call, in its own process. Usage: peers.py NAME COUNT; prints microseconds for each call.

Run by the Python that has them installed. What can be held between calls is held; only
JSPyBridge's function is named in each call, as its users write it and as meta's form does.
"""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def rpyc(count):
    """Python calls a function of another Python process: rpyc in classic mode over a pipe."""
    import rpyc

    connection = rpyc.classic.connect_subproc(server_file())
    add = connection.modules.operator.add
    timed(lambda: add(1, 2), count)
    connection.close()


def server_file():
    """rpyc's own server script, which stands beside this interpreter."""
    folder = os.path.dirname(sys.executable)
    paths = [os.path.join(folder, name) for name in ("rpyc_classic.py", "rpyc_classic")]
    return next(path for path in paths if os.path.exists(path))


def javascript(count):
    """Python calls a function of Node: JSPyBridge."""
    from javascript import globalThis

    math = globalThis.Math
    timed(lambda: math.max(1, 2), count)


def javascript_callback(count):
    """Node calls a function of Python: JSPyBridge, a loop in Node."""
    from javascript import require

    module = require(os.path.join(HERE, "peers.js"))
    add = lambda a, b: a + b
    module.times(add, count // 10, timeout=600)
    print(module.times(add, count, timeout=600))


def jupyter(count):
    """An expression runs in a Jupyter kernel: its result comes on one channel, its end on another."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    try:
        client.execute("import operator", reply=True)
        timed(lambda: value(client, "operator.add(1, 2)"), count)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def value(client, code):
    """What an expression's result prints as, once the kernel says that it is idle again."""
    request, result = client.execute(code), None
    while True:
        message = client.get_iopub_msg(timeout=10)
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "execute_result":
            result = message["content"]["data"]["text/plain"]
        elif message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            client.get_shell_msg(timeout=10)
            return int(result)


def timed(call, count):
    for _ in range(count // 10):
        call()
    start = time.perf_counter()
    for _ in range(count):
        call()
    print((time.perf_counter() - start) * 1e6 / count)


PEERS = {"rpyc": rpyc, "javascript": javascript, "javascript-callback": javascript_callback, "jupyter": jupyter}

if __name__ == "__main__":
    PEERS[sys.argv[1]](int(sys.argv[2]))
    sys.stdout.flush()
    # Their threads and children are theirs to end; the figure is out.
    os._exit(0)
