"""A kernel that misbehaves as its first argument says."""
import json, os, signal, socket, subprocess, sys, time

fault = sys.argv[1] if len(sys.argv) > 1 else "good"
up = socket.socket(fileno=3)


def send(header, body=b""):
    text = json.dumps(header).encode()
    up.sendall(b"%08x%08x" % (len(text), len(body)) + text + body)


def take(count):
    parts = []
    while count:
        piece = up.recv(min(count, 1 << 20))
        if not piece:
            sys.exit(0)
        parts.append(piece)
        count -= len(piece)
    return b"".join(parts)


def receive():
    counts = take(16)
    return json.loads(take(int(counts[:8], 16))), take(int(counts[8:], 16))


if fault == "silent":
    time.sleep(1000)
if fault == "garbage":
    up.sendall(b"Hello, world! This is no frame.\n")
    time.sleep(1000)
if fault == "huge-header":
    up.sendall(b"7fffffff00000000")
    time.sleep(1000)
if fault == "reply-first":
    send({"op": "ret", "re": 1})
    time.sleep(1000)
if fault == "bad-json":
    up.sendall(b"0000000500000000{\"op\"")
    time.sleep(1000)
if fault == "dies-at-once":
    print("no luck today", file=sys.stderr, flush=True)
    sys.exit(7)

send({
    "op": "hello", "protocol": "2.0" if fault == "other-protocol" else "1.0", "language": "fake", "version": "1.0",
    "operations": ["eval", "call"], "unknown": [1],
})
receive()
if fault == "deaf":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

while True:
    header, body = receive()
    answer = {"op": "ret", "re": header["id"], "type": "bytes", "elapsed": 1.5}
    if fault == "half":
        up.sendall(b"0000")
        os._exit(0)
    if fault == "half-alive":
        up.sendall(b"0000004")
        up.shutdown(socket.SHUT_RDWR)
        time.sleep(1000)
    if fault == "twice":
        send(answer)
        send(answer)
        time.sleep(1000)
    if fault == "unknown-id":
        send({"op": "ret", "re": 12345})
        time.sleep(1000)
    if fault == "garbage-later":
        up.sendall(b"\xff\x00garbage garbage")
        time.sleep(1000)
    if fault == "flood":
        while True:
            os.write(1, b"x" * 65536)
    if fault == "deaf":
        time.sleep(1000)
    if fault == "closes":
        up.close()
        time.sleep(1000)
    if fault == "dies-after-output":
        os.write(1, b"last words")
        os.write(2, b"one\ntwo\n")
        os._exit(3)
    if fault == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault == "grandchild":
        subprocess.Popen(["sleep", "1000"])
        os._exit(4)
    if fault == "raises":
        send({"op": "err", "re": header["id"], "code": "runtime/raised", "type": "E", "message": "m",
              "frames": [{"function": "f", "line": 2}], "cause": {"type": "F", "message": "n",
              "cause": {"type": "G", "message": "o"}}}, b"{}")
        continue
    if fault == "prints":
        os.write(1, b"out")
        os.write(2, b"err")
    if fault == "writes-first":
        # A large frame the other way, before it reads what it is being sent.
        send(answer, b"y" * (8 << 20))
        continue
    send(answer, body)
