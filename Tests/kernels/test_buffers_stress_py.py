"""Python's buffers under threads, forks and signals, and as things of many lives."""

import json
import os
import threading

import numpy
import pytest
from segments import FOLDER, Shop, contents, key_of


@pytest.fixture
def py():
    shop = Shop()
    shop.run("import meta, numpy as np, os, threading, gc")
    yield shop
    shop.finish()


def test_a_segment_that_was_given_back_crosses_again_under_a_new_number(py):
    first = py.publish("a = meta.empty(1000); a[:] = 3; a")
    py.release([*key_of(first), 1])
    second = py.publish("a")
    assert second["ref"] != first["ref"] and second["segment"] != first["segment"] and py.own() == [second["segment"]]
    assert "-%d-" % second["ref"] in second["segment"] and contents(second).sum() == 3000
    assert py.refuse(first) == "buffer/stale"
    py.bind("b", second)
    assert py.run("a is b") == b"true"


def test_a_segment_lives_while_somebody_has_it(py):
    record = py.publish("a = meta.empty(1000); a[:] = 3; a")
    py.run("del a; gc.collect(); [meta.empty(1000).fill(7) for _ in range(10)]")
    assert contents(record).sum() == 3000 and record["segment"] in py.own()
    py.bind("b", record)
    py.run("del b; gc.collect(); c = [meta.empty(1000) for _ in range(10)]; [x.fill(7) for x in c]")
    assert contents(record).sum() == 3000
    py.bind("b", record)
    py.release([*key_of(record), 1])
    py.run("d = [meta.empty(1000) for _ in range(10)]; [x.fill(7) for x in d]")
    assert py.run("float(b.sum())") == b"3000.0"  # ours as well: it holds the segment itself


def test_arrays_in_segments_start_with_zeros(py):
    assert py.run("for _ in range(20): a = meta.empty(5000); s = a.sum(); a[:] = 9; del a\nfloat(s)") == b"0.0"
    assert len(py.own()) == 1


def test_threads_publish_and_attach_at_once(py):
    """Each answer is the array that was sent, from another session's segment."""
    lock = threading.Lock()

    def meta(header, body):
        with lock:
            (array, index), _ = body
            values = contents(array).copy()
            if "segment" in array:
                py.release([*key_of(array), 1])
            record = py.make(values + index)
            made.append(record)
            return {"refs": [key_of(record)]}, record

    made = []
    code = """
wrong = []
def work(index):
    for size in list(range(250, 1500, 25)) * 2:
        sent = np.full(size, float(size))
        if size % 2: sent = meta.array(sent)
        back = meta.call('js.f', sent, index)
        if back.shape != (size,) or back.sum() != size * (size + index): wrong.append((index, size))
        back[0] = 1
        if size % 5 == 0: gc.collect()
threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
for one in threads: one.start()
for one in threads: one.join()
wrong"""
    header, value = py.evaluate(code, meta)
    assert header["op"] == "ret" and value == [], (header, value)
    py.run("gc.collect()")
    py.request("status")
    assert sum(times for *_, times in py.releases) == len(made) == 400 and py.held() == 0
    assert py.run("import sys; len(sys.modules['_meta_kernel'].State.buffers.MAPPINGS)") == b"0"


def test_what_is_published_in_a_loop_does_not_pile_up(py):
    """Releases are served while user code runs; requests that came before wait, in their order."""
    most = []

    def meta(header, body):
        array = body[0][0]
        most.append(len(py.own()))
        py.release([*key_of(array), 1])
        if len(most) == 250:
            py.later = py.start("status")
        return {}, None

    header, _ = py.evaluate("for _ in range(300): meta.call('js.f', np.ones(1000))", meta)
    assert header["op"] == "ret" and max(most[:250]) <= 2 and len(most) == 300 and most[-1] > 40
    header, body = py.receive()
    assert header["re"] == py.later and json.loads(body)["held"] > 40
    assert py.held() == 0


def test_copies_of_the_process_while_threads_publish(py):
    """A child neither hangs nor takes anything away, whatever its parent was doing when it was made."""
    code = """
import time
stop = []
kept = meta.empty(1000)
def work():
    while not stop:
        a = meta.empty(3000); a[:] = 1; del a
threads = [threading.Thread(target=work) for _ in range(3)]
for one in threads: one.start()
states = []
for _ in range(30):
    child = os.fork()
    if child == 0:
        kept[:] = 5
        ok = meta.empty(2000).sum() == 0 and meta.array([1, 2]).sum() == 3
        gc.collect()
        os._exit(0 if ok else 1)
    states.append(os.waitpid(child, 0)[1])
stop.append(1)
for one in threads: one.join()
[states, float(kept.sum())]"""
    header, value = py.evaluate(code, None)
    assert header["op"] == "ret" and value == [[0] * 30, 0.0], (header, value)


def test_a_copy_has_no_shared_memory_of_its_own(py):
    code = """
import meta
child = os.fork()
if child == 0:
    try: meta.empty(1000, mutable=True)
    except meta.Error as error: os._exit(0 if error.code == 'buffer/full' else 1)
    os._exit(2)
os.waitpid(child, 0)[1]"""
    assert py.value(code)[1] == 0
    py.publish("np.ones(100_000)")
    assert py.value("child = os.fork()\nnp.ones(100_000) if child == 0 else os.waitpid(child, 0)[1]", share="publish")[1] == 0
    assert py.held() == 1 and len(py.own()) == 1


@pytest.mark.parametrize("code", ["while True: meta.empty(1000)", "while True: meta.share(np.ones(1000))", "while True: meta.View",
                                  "while True: meta.array(range(5))"])
def test_loops_that_make_arrays_are_interrupted(py, code):
    py.start("eval", code="meta.empty(1000); print('go', flush=True)\n" + code, name="<x>")
    py.read_output(b"go\n")
    header, _ = py.interrupt_until_reply()
    assert header["code"] == "runtime/interrupted"
    assert py.run("float(meta.empty(1000).sum())") == b"0.0" and len(py.own()) <= 2


def test_interrupts_while_views_arrive(py):
    data = numpy.ones(1000)
    for _ in range(60):
        record = py.make(data)
        py.start("set", json.dumps(record).encode(), path=["x"], refs=[key_of(record)])
        py.interrupt()
        header, _ = py.receive()
        assert header["op"] == "ret" or header["code"] == "runtime/interrupted", header
    while py.request("eval", code="x = None", name="<x>")[0]["op"] != "ret":
        pass
    py.request("status")
    assert sum(times for *_, times in py.releases) == 60


def test_a_body_that_is_written_twice_lists_its_segments_once(py):
    header, body = py.request("eval", code="[np.ones(1000), 10 ** 5000, (1,)]", name="<x>", share="publish")
    assert len(header["refs"]) == 1 and py.held() == 1 and b'"ref":%d,' % header["refs"][0][2] in body


def test_long_keys_stay_json(py):
    _, value = py.value("{'k' * 70000: {1}}")
    assert list(value) == ["k" * 70000]
    _, value = py.value("{'k' * 70000: 1, 2: 3}", share="none")
    assert value["entries"][0][0] == "k" * 70000


def test_the_data_of_an_error_goes_where_the_result_would(py):
    header, value = py.evaluate("raise ValueError(np.ones(1000))", None, share="publish")
    assert header["op"] == "err" and header["shared"] is True and contents(value[0]).sum() == 1000
    header, value = py.evaluate("raise ValueError(np.ones(1000))", None)
    assert header["live"] is True and "segment" not in value[0]


def test_what_a_dead_cycle_held_is_given_back(py):
    record = py.make(numpy.ones(1000))
    py.bind("x", record)
    py.run("cycle = [x, memoryview(x)]; cycle.append(cycle); del x, cycle; gc.collect()")
    py.request("status")
    assert py.releases == [[*key_of(record), 1]]


def test_a_segment_is_not_given_back_while_a_finalizer_may_bring_it_back(py):
    record = py.make(numpy.ones(1000))
    py.bind("x", record)
    py.run("""
kept = []
class Last:
    def __del__(self): kept.append(self.view)
last = Last(); last.view = memoryview(x); last.me = last
del x, last
gc.collect()""")
    py.request("status")
    assert py.releases == [] and py.run("float(kept[0][3])") == b"1.0"
    py.run("kept.clear()")
    py.request("status")
    assert py.releases == [[*key_of(record), 1]]


def test_an_array_over_a_segment_cannot_lose_it(py):
    py.bind("x", py.make(numpy.ones(1000)))
    assert py.fail("x.base.close()")["type"] == "BufferError" and py.fail("x.base.resize(5)")["type"] == "BufferError"
    assert py.run("float(x.sum())") == b"1000.0"


def test_somebody_cleaned_up(py):
    """What sweeps of other programs take away is an error, or a copy, never a fault."""
    record = py.publish("a = np.ones(100_000); a")
    py.release([*key_of(record), 1])
    for name in py.own():
        os.unlink(FOLDER + name)
    assert contents(py.publish("a")).sum() == 100_000
    py.run("b = meta.empty(1000); b[:] = 4")
    for name in py.own():
        os.unlink(FOLDER + name)
    assert contents(py.publish("b")).sum() == 4000
    record = py.publish("c = meta.empty(1000); c")
    py.release([*key_of(record), 1])
    for name in py.own():
        os.unlink(FOLDER + name)
    assert py.error("c", share="publish")["code"] == "buffer/stale"
    assert py.run("float(b.sum())") == b"4000.0"
