"""What arrays, bytes and texts cost without meta. Usage: copies.py NAME COUNT NODE; prints milliseconds, the median of COUNT.

Run by a Python that has NumPy. Each turn ends when the first, the middle and the last item were read on the other side.
"""

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time

import numpy

ITEMS = 10_000_000
BYTES = 10_000_000
FILE = f"/dev/shm/meta-bench-{os.getpid()}"
HERE = os.path.dirname(os.path.abspath(__file__))


def memcpy(count):
    """From one array into another whose memory was touched."""
    source, target = numbers(), numpy.ones(ITEMS)
    median(lambda: numpy.copyto(target, source), count)


def write(count):
    """Into a new file in shared memory. That it is removed is not counted."""
    data = memoryview(numbers()).cast("B")

    def turn():
        descriptor = os.open(FILE, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
        os.close(descriptor)

    median(turn, count, lambda: os.unlink(FILE))


def mini_racer(count):
    """V8 in this process: what it lends is the memory of a new array, which NumPy fills."""
    from py_mini_racer import MiniRacer

    source, engine = numbers(), MiniRacer()

    def turn():
        memory = engine.eval(f"globalThis.array = new Float64Array({ITEMS}); array")
        numpy.copyto(numpy.frombuffer(memory), source)
        assert engine.eval("array[0] + array[array.length >> 1] + array[array.length - 1]") == touch(source)

    median(turn, count)


def piped(value, send, receive):
    """Through multiprocessing's pipe into another Python."""

    def serve(pipe):
        while True:
            pipe.send(touch(receive(pipe)))

    def measure(count):
        here, there = multiprocessing.Pipe()
        child = multiprocessing.Process(target=serve, args=(there,), daemon=True)
        child.start()
        sent = value()
        expected = touch(sent)

        def turn():
            send(here, sent)
            assert here.recv() == expected

        median(turn, count)

    return measure


def array_json(count):
    """As JSON through a pipe into node. There is no warm-up: it takes seconds."""
    node(numbers().tolist, (lambda value: json.dumps(value),), count, warm=0)


def text_json(count):
    """The quicker of JSON's two ways to write what is not ASCII."""
    text = "Grüße aus Zürich; кириллица, 日本語のテキスト, 0123. "
    text *= BYTES // len(text.encode())
    node(lambda: text, (json.dumps, lambda value: json.dumps(value, ensure_ascii=False)), count, warm=2)


def node(value, ways, count, warm):
    """Prints the figure of the quickest way to write a value as JSON for a node at the other end of a pipe."""
    script = os.path.join(HERE, "pipe.js")
    child = subprocess.Popen([sys.argv[3], script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def turn(dumps):
        sent = value()
        data = dumps(sent).encode()
        child.stdin.write(b"%016x" % len(data) + data)
        child.stdin.flush()
        assert int(child.stdout.readline()) == len(sent)

    print(min(timed(lambda: turn(dumps), count, warm) for dumps in ways))
    child.stdin.close()
    child.wait()


def calculated(work):
    def measure(count):
        array = numpy.arange(ITEMS, dtype="f8")
        median(lambda: work(array), count)

    return measure


def numbers():
    return numpy.random.default_rng(4).random(ITEMS)


def touch(value):
    return value[0] + value[len(value) // 2] + value[-1]


def median(turn, count, after=lambda: None):
    print(timed(turn, count, 2, after))


def timed(turn, count, warm, after=lambda: None):
    figures = []
    for _ in range(warm + count):
        start = time.perf_counter()
        turn()
        figures.append(time.perf_counter() - start)
        after()
    return statistics.median(figures[warm:]) * 1000


CONTENDERS = {
    "memcpy": memcpy,
    "write": write,
    "mini-racer": mini_racer,
    "array": piped(numbers, lambda pipe, value: pipe.send(value), lambda pipe: pipe.recv()),
    "bytes": piped(
        numbers,
        lambda pipe, value: pipe.send_bytes(memoryview(value).cast("B")),
        lambda pipe: numpy.frombuffer(pipe.recv_bytes()),
    ),
    "long bytes": piped(lambda: os.urandom(BYTES), lambda pipe, value: pipe.send(value), lambda pipe: pipe.recv()),
    "json": array_json,
    "text": text_json,
    "sum": calculated(lambda array: array.sum()),
    "add": calculated(lambda array: array + array),
}

if __name__ == "__main__":
    CONTENDERS[sys.argv[1]](int(sys.argv[2]))
