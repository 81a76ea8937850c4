"""Buffers of the JavaScript kernel against hostile records, interrupts, many cycles and a missing compiler."""

import json
import os
import pathlib
import select
import shutil
import signal
import time

import driver
import pytest
from driver import DEADLINE
from peer import Peer
from segments_js import SHARED, Arrays, items_of, pack, read
from test_buffers_js import js, mapping, memory  # noqa: F401 (fixtures)


@pytest.fixture
def mapped(mapping):  # noqa: F811
    return mapping


# Hostile records

HUGE = 2**62
BAD = [
    ({"format": "float63"}, "wire/unreadable"), ({"format": 3}, "wire/unreadable"), ({"format": "__proto__"}, "wire/unreadable"),
    ({"format": "constructor"}, "wire/unreadable"), ({"format": None}, "wire/unreadable"), ({"shape": None}, "wire/unreadable"),
    ({"shape": "9"}, "wire/unreadable"), ({"shape": [-1]}, "wire/unreadable"), ({"shape": [1.5]}, "wire/unreadable"),
    ({"shape": [True]}, "wire/unreadable"), ({"shape": [[1]]}, "wire/unreadable"), ({"shape": [HUGE]}, "wire/unreadable"),
    ({"shape": [2**32, 2**32]}, "wire/unreadable"), ({"shape": [0, 2**52, 2**52]}, "wire/unreadable"), ({"shape": [1] * 33}, "wire/unreadable"),
    ({"shape": [10**400]}, "wire/unreadable"), ({"shape": {}}, "wire/unreadable"), ({"shape": [501]}, "buffer/range"), ({"shape": [2**40]}, "buffer/range"),
    ({"offset": -8}, "wire/unreadable"), ({"offset": 1.5}, "wire/unreadable"), ({"offset": "0"}, "wire/unreadable"), ({"offset": HUGE}, "wire/unreadable"),
    ({"offset": 8}, "buffer/range"), ({"offset": 2**53 - 1}, "buffer/range"), ({"strides": [9]}, "buffer/range"), ({"strides": [-8]}, "buffer/range"),
    ({"strides": [2**50]}, "buffer/range"), ({"strides": [-(2**50)]}, "buffer/range"), ({"strides": []}, "wire/unreadable"),
    ({"strides": [8, 8]}, "wire/unreadable"), ({"strides": "8"}, "wire/unreadable"), ({"strides": [HUGE]}, "wire/unreadable"), ({"strides": [0.5]}, "wire/unreadable"),
    ({"segment": "../etc/passwd"}, "buffer/forged"), ({"segment": "/etc/passwd"}, "buffer/forged"), ({"segment": ""}, "buffer/forged"),
    ({"segment": 3}, "buffer/forged"), ({"segment": None}, "buffer/forged"), ({"segment": "meta-%d-../x" % os.geteuid()}, "buffer/forged"),
    ({"segment": "meta-%d-a\0b" % os.geteuid()}, "buffer/forged"), ({"segment": "meta-%d-x-2-1-0" % (os.geteuid() + 1)}, "buffer/forged"),
    ({"segment": "meta-%d-%s" % (os.geteuid(), "a" * 5000)}, "buffer/forged"), ({"segment": "meta-%d-gone-2-1-0" % os.geteuid()}, "buffer/stale"),
    ({"ref": 0}, "wire/unreadable"), ({"ref": "1"}, "wire/unreadable"), ({"ref": 77}, "wire/unreadable"), ({"owner": 3}, "wire/unreadable"),
    ({"owner": "js"}, "wire/unreadable"), ({"generation": 2}, "wire/unreadable"), ({"generation": None}, "wire/unreadable"),
]


@pytest.mark.parametrize("change,code", BAD, ids=lambda value: str(value)[:40])
def test_hostile_records(js, change, code):  # noqa: F811
    record = js.memory.array([1.0] * 500)
    refs = [[record["owner"], record["generation"], record["ref"]]]
    assert js.refuse("v", {"v": {**record, **change}}, refs=refs) == code
    again = js.refuse("v", {"v": [record, {**record, **change}]}, refs=refs)  # one that is mapped already, under its name
    assert again == code or (again == "buffer/forged" and code == "buffer/stale")
    assert js.value("v[5]", {"v": record}) == 1
    js.request("status")
    assert js.run("1+1") == b"2"


def test_forged_files(js):  # noqa: F811
    record = js.memory.array([1.0] * 500)
    number, name = js.memory.make(b"")
    path, listed = SHARED / name, [["py", 1, number]]
    fields = {**record, "ref": number, "segment": name}
    assert js.refuse("v", {"v": fields}, refs=listed) == "buffer/range"  # an empty file
    for mode in (0o440, 0o404, 0o644, 0o420, 0o777):
        path.chmod(mode)
        assert js.refuse("v", {"v": fields}, refs=listed) == "buffer/forged", oct(mode)
    path.unlink()
    for make in (lambda: path.symlink_to(SHARED / record["segment"]), lambda: os.mkfifo(path, 0o600), lambda: path.mkdir(0o700)):
        make()
        assert js.refuse("v", {"v": fields}, refs=listed) == "buffer/forged"
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    path.write_bytes(bytes(3999))
    path.chmod(0o400)
    assert js.refuse("v", {"v": fields}, refs=listed) == "buffer/range"
    if os.geteuid() == 0:
        path.write_bytes(bytes(4000))
        os.chown(path, 12345, -1)
        assert js.refuse("v", {"v": fields}, refs=listed) == "buffer/forged"
    assert js.refuse("v", {"v": record}, refs=[]) == "wire/unreadable"
    assert js.status()["handles"] == 0 and js.run("1+1") == b"2"


def test_a_segment_is_no_object(mapped):
    js = mapped
    record = js.memory.array([1.0] * 500)
    handle = {"_type": "Ref", "owner": "py", "generation": 1, "ref": record["ref"], "type": "x", "repr": "x", "callable": False}
    assert js.refuse("v", {"v": [record, handle]}) == "wire/unreadable"
    js.ask("keep = v; 1", {"v": {**handle, "ref": 900}})
    assert js.refuse("v", {"v": {**record, "ref": 900}}) == "wire/unreadable"
    own = js.value("x = meta.empty(1000); x")
    assert js.value("Object.keys(v).length", {"v": {**handle, "owner": "js", "ref": own["ref"]}}) == 0
    assert js.refuse("v", {"v": {**own, "mutable": True}}) == "buffer/forged"
    assert js.refuse("v", {"v": {**own, "shape": [1001]}}) == "buffer/range"
    assert js.refuse("v", {"v": {**own, "ref": 900}}) == "buffer/stale"
    assert js.refuse("v", {"v": {**own, "generation": 2}}) == "buffer/stale"


@pytest.mark.parametrize("change", [{"length": 70001}, {"length": -1}, {"length": 2**60}, {"length": None}, {"offset": 1}, {"offset": -1}, {"segment": "x"}])
def test_hostile_bytes_and_texts(js, change):  # noqa: F811
    for tag in ("Bytes", "Text"):
        record = js.memory.bytes(b"x" * 70000, tag)
        assert js.refuse("v", {"v": {**record, **change}}) in ("wire/unreadable", "buffer/range", "buffer/forged", "value/too-large")
        assert js.refuse("v", {"v": record}, refs=[]) == "wire/unreadable"
        assert js.value("v.length", {"v": record}) == 70000
    assert js.refuse("v", {"v": js.memory.bytes(b"\xff" * 70000, "Text")}) == "wire/unreadable"
    assert js.refuse("v", {"v": js.memory.bytes(b"\xed\xa0\x80" * 30000, "Text")}) == "wire/unreadable"


@pytest.mark.parametrize("text", ["AA=", "AB==", "A", 3, None, "AAAA"])
def test_odd_inline_records(js, text):  # noqa: F811
    record = {"_type": "Buffer", "buffer_id": "", "format": "int8", "shape": [1], "language": "py", "type": "x", "base64": text}
    assert js.refuse("v", {"v": record}) == "wire/unreadable"


def test_bytes_and_texts_arrive(js):  # noqa: F811
    data = js.memory.bytes(b"ab" * 50000, "Bytes")
    text = js.memory.bytes("é".encode() * 50000, "Text")
    js.ask("b = v[0]; t = v[1]; 1", {"v": [data, text]})
    assert js.value("[b.length, b[1], Object.getPrototypeOf(b) === Uint8Array.prototype, t === 'é'.repeat(50000)]") == [100000, 98, True, True]
    js.request("status")
    assert ("py", 1, text["ref"], 1) in js.released
    if js.hello["buffers"] == "map":
        assert js.value("b") == data and js.value("b.subarray(2, 90000)") == {**data, "offset": 2, "length": 89998}
    back = js.value("b[0] = 1; b")
    assert back["owner"] == "js" and back["_type"] == "Bytes" and (SHARED / back["segment"]).read_bytes() == b"\1b" + b"ab" * 49999
    own = js.value("['x'.repeat(70000), new Uint8Array(70000)]")
    assert js.value("v[0] === 'x'.repeat(70000) && v[1].length", {"v": own}) == 70000


def test_changed_prototypes(js):  # noqa: F811
    """User code may change everything; what the kernel uses was taken before."""
    js.run("""
      for (const made of [Float64Array, ArrayBuffer, DataView, Map, Set, WeakMap]) {
        for (const name of Object.getOwnPropertyNames(made.prototype)) if (name !== 'constructor') {
          try { Object.defineProperty(made.prototype, name, {value() { throw new Error('bent') }, writable: true, configurable: true}) } catch {}
        }
      }
      for (const name of ['openSync', 'writeSync', 'renameSync', 'closeSync', 'fchmodSync']) fs[name] = () => { throw new Error('bent') };
      for (const name of ['set', 'subarray', 'fill', 'slice']) Object.getPrototypeOf(Uint8Array).prototype[name] = () => { throw new Error('bent') };
      Math.floor = Math.max = Array.from = () => { throw new Error('bent') };
      Array.prototype.toJSON = () => 'bent'; x = new Float64Array(1000); 1""")
    record = js.value("x")
    assert items_of(record) == [0] * 1000
    assert js.value("v[0]", {"v": js.memory.array([5.0] * 1000)}) == 5


# Without the addon


def folder(monkeypatch, tmp_path):
    """Kernels of this test have a folder of their own."""
    monkeypatch.setattr(driver, "CACHE", str(tmp_path))
    return tmp_path


def test_two_kernels_build_at_once(memory, monkeypatch, tmp_path):  # noqa: F811
    place = folder(monkeypatch, tmp_path)
    kernels = [Arrays(memory) for _ in range(2)]
    started = [kernel.start("eval", code="meta.buffers()", name="<x>") for kernel in kernels]
    assert [kernel.receive()[1] for kernel in kernels] == [b'"map"'] * 2 and started
    assert [path.name for path in place.iterdir() if "mapping" in path.name and path.suffix != ".c"] == [
        "mapping-8-linux-%s.node" % {"x86_64": "x64", "aarch64": "arm64"}[os.uname().machine]]
    for kernel in kernels:
        kernel.close()


def test_an_old_addon_is_built_anew(memory, monkeypatch, tmp_path):  # noqa: F811
    place = folder(monkeypatch, tmp_path)
    for _ in range(2):
        kernel = Arrays(memory)
        assert kernel.value("meta.buffers()") == "map"
        kernel.close()
    built = next(place.glob("*.node"))
    for junk in (b"junk", None):
        if junk is not None:
            built.write_bytes(junk)
        else:
            shutil.copy(driver.FILES / "mapping.c", place)
            monkeypatch.setenv("CC", "cc -DSOURCE=7")
        before = built.stat().st_ino
        kernel = Arrays(memory)
        assert kernel.value("meta.buffers()") == "map" and (junk is None or built.stat().st_ino != before)
        kernel.close()


@pytest.mark.parametrize("compiler", ["/bin/false", "/nonexistent"])
def test_no_compiler(memory, monkeypatch, tmp_path, compiler):  # noqa: F811
    folder(monkeypatch, tmp_path)
    monkeypatch.setenv("CC", compiler)
    kernel = Arrays(memory)
    assert kernel.value("meta.buffers()") == "copy"
    record = memory.array([1.0] * 1000)
    assert items_of(kernel.value("v", {"v": record})) == [1.0] * 1000
    kernel.request("status")
    assert kernel.released == [("py", 1, record["ref"], 1)]
    assert kernel.refuse("v", {"v": memory.array([1], "int32", mode=0o600, mutable=True)}) == "runtime/unsupported"
    assert kernel.refuse("meta.empty(1, 'int8', {mutable: true})") == "runtime/unsupported"
    kernel.close()


# Many


def serve(js, peer, identity, answer):  # noqa: F811
    """Answers upcalls until a request is done; its value."""
    poll = select.poll()
    poll.register(js.upward, select.POLLIN)
    poll.register(js.requests, select.POLLIN)
    end = time.monotonic() + 240
    data = b""
    while time.monotonic() < end:
        for descriptor, _ in poll.poll(1000):
            if descriptor == js.upward.fileno():
                upcall, _ = peer.receive()
                peer.answer(upcall, record := answer(), [[record["owner"], record["generation"], record["ref"]]])
                continue
            data += js.requests.recv(1 << 20)
            while len(data) >= 16 and len(data) >= (size := 16 + int(data[:8], 16) + int(data[8:16], 16)):
                head = 16 + int(data[:8], 16)
                header, body, data = json.loads(data[16:head]), data[head:size], data[size:]
                if header["op"] == "release":
                    js.released += map(tuple, header["refs"])
                else:
                    assert header["re"] == identity and header["op"] == "ret", header
                    return json.loads(body)
    raise AssertionError("no reply")


def counts(js):
    process = pathlib.Path("/proc/%d" % js.pid)
    return len(list((process / "fd").iterdir())), len((process / "maps").read_text().splitlines())


@pytest.mark.parametrize("rounds,code", [
    (100_000, "for (let n = 0; n < %d; n++) { const a = meta.call('py.make'); sum += a[0]; a.release() }"),
    (30_000, "for (let n = 0; n < %d; n++) sum += meta.call('py.make')[0]"),
], ids=["released", "collected"])
def test_many_in_one_loop(mapped, rounds, code):
    js = mapped
    record = js.memory.array([1.0] * 512)
    peer, number = Peer(js), iter(range(1000, 1000 + rounds))
    js.ask("sum = 0; x = v; x.release(); 1", {"v": record})
    before = counts(js)
    identity = js.start("eval", code=code % rounds + "; sum", name="<x>")
    assert serve(js, peer, identity, lambda: {**record, "ref": next(number)}) == rounds
    end = time.monotonic() + DEADLINE
    while js.status()["mappings"] > 0:
        assert time.monotonic() < end, js.status()
    js.request("status")
    assert len(js.released) == len(set(js.released)) == rounds + 1 and {item[3] for item in js.released} == {1}
    after = counts(js)
    assert after[0] <= before[0] + 1 and after[1] < before[1] + 1000
    peer.close()


def test_own_arrays_that_nobody_has(mapped):
    js = mapped
    assert js.value("for (let n = 0; n < 3000; n++) meta.empty(100000)[5] = 1; 'done'") == "done"  # 2.4 GB, the limit is 1
    end = time.monotonic() + DEADLINE
    while js.status()["mappings"] > 0:
        assert time.monotonic() < end, js.status()
    assert js.status()["bytes"] <= (1 << 30) / 8  # the pool


def test_descriptors_are_few(mapped):
    js = mapped
    before = counts(js)[0]
    records = js.value("Array.from({length: 200}, () => new Float64Array(300))")
    assert counts(js)[0] <= before + 65
    js.give_back(*records)
    assert len({each["segment"] for each in js.value("Array.from({length: 200}, () => new Float64Array(300))")}) == 200
    assert counts(js)[0] <= before + 65


def kept(js):
    """The mappings of the kernel's own segments."""
    return (pathlib.Path("/proc/%d/maps" % js.pid).read_text()).count(js.memory.prefix)


def test_large_segments_that_are_used_again_are_filled_in_memory(js):  # noqa: F811
    js.run("make = (n, v) => new Float64Array(n).fill(v); 1")
    for round, count in enumerate((40000, 40000, 35000, 38000, 40000, 30000)):
        record = js.value("make(%d, %d)" % (count, round))
        data = read(record["segment"])
        assert data == pack("float64", [round] * count) + bytes(320000 - 8 * count) and js.status()["segments"] == 1
        assert (SHARED / record["segment"]).stat().st_mode & 0o777 == 0o400
        assert kept(js) == (1 if round and js.hello["buffers"] == "map" else 0)
        js.give_back(record)
    records = js.value("Array.from({length: 200}, (_, n) => make(40000, n))")
    js.give_back(*records)
    records = js.value("Array.from({length: 200}, (_, n) => make(40000, n + 1))")
    assert all(read(record["segment"]) == pack("float64", [n + 1] * 40000) for n, record in enumerate(records))
    assert kept(js) <= 64
    js.give_back(*records)
    assert js.value("make(2 ** 25, 1)")["segment"] and kept(js) <= 64


def test_what_is_removed_is_kept_no_longer(memory):  # noqa: F811
    js = Arrays(memory, limit=4 << 20)
    for _ in range(2):
        record = js.value("new Float64Array(60000)")
        js.give_back(record)
    assert kept(js) == 1
    assert js.value("new Float64Array(470000)")["segment"] and kept(js) == 0  # there is no room for both
    js.close()


def test_what_is_published_in_a_loop_does_not_pile_up(mapped):
    """Releases are served while user code runs; requests that came before wait, in their order."""
    js, most = mapped, []
    peer, poll = Peer(js), select.poll()
    poll.register(js.upward, select.POLLIN)
    identity = js.start("eval", code="for (let n = 0; n < 300; n++) meta.call('py.f', new Float64Array(1000).fill(n)); meta.empty(1000); 5", name="<x>")
    while len(most) < 300:
        upcall, body = peer.receive()
        record = body[0][0]
        assert items_of(record) == [len(most)] * 1000
        most.append(len([name for name in js.memory.names() if name.startswith(js.memory.prefix)]))
        js.give_back(record)
        if len(most) == 250:
            later = js.start("status")
        peer.answer(upcall, None)
    assert max(most[:250]) <= 2 and most[-1] > 40
    header, body = js.receive()
    assert [header["re"], header["op"], body] == [identity, "ret", b"5"]
    header, body = js.receive()
    assert header["re"] == later and json.loads(body)["held"] > 40
    assert js.status()["held"] == 0
    peer.close()


def test_a_release_in_the_middle_of_a_frame_takes_nothing_that_it_lists(mapped):
    js = mapped
    first = js.value("x = meta.empty(1000).fill(7); f = () => 1; [x, f]")
    code = "[x, f, new Float64Array(1000), x]"
    for way in ("inside", "whole"):
        # The releases are there before the frame is written: they come with the request, or in two pieces.
        frames = b"".join(b"%08x%08x%b" % (len(text), 0, text) for text in [json.dumps({"op": "release", "refs": [
            ["js", 1, first[0]["ref"], 1], ["js", 1, first[1]["ref"], 1]]}).encode()])
        js.count += 1
        text = json.dumps({"op": "eval", "id": js.count, "code": code, "name": "<x>", "share": "publish"}).encode()
        request = b"%08x%08x%b" % (len(text), 0, text)
        js.requests.sendall(request + (frames if way == "whole" else frames[:30]))
        if way == "inside":
            js.requests.sendall(frames[30:])
        header, body = js.receive()
        again = json.loads(body)
        assert header["op"] == "ret" and again[0] == again[3] and items_of(again[0]) == [7] * 1000
        assert js.value("v[0] === x && v[1] === f", {"v": again[:2]}) is True
        js.give_back(again[2])
        first = again
    js.give_back(first[0], first[1])
    assert js.status()["held"] == 0


# Interrupts


@pytest.mark.parametrize("way", ["map", "copy"])
def test_interrupts_lose_nothing(memory, monkeypatch, way):  # noqa: F811
    """Node is without a handler for moments while it renews what tears a busy loop down, and a storm of signals finds them: it
    may end then, as in the conformance suite. So there are several tries, one of which must go through whole.
    """
    if way == "copy":
        monkeypatch.setenv("META_NODE_ADDON", "none")
    for tries_left in (4, 3, 2, 1, 0):
        js = Arrays(memory)
        try:
            return storm(js, memory)
        except (AssertionError, OSError):
            if not tries_left:
                raise
            os.kill(js.pid, signal.SIGKILL)
            js.wait()
            memory.remove()


def storm(js, memory):  # noqa: F811
    foreign = memory.array([1.0] * 2000)
    js.run("big = Array.from({length: 40}, () => new Float64Array(5000).fill(7)); mine = meta.empty(5000); 1")
    js.value("big")
    js.run("1")
    before = counts(js)[0]
    held = {}
    names = json.dumps({"v": foreign}).encode()
    for round in range(60):
        identity = js.start("eval", names, code="mine[0] = %d; for (let n = 0; n < 3; n++) meta.empty(1000); [...big.slice(0, %d), mine, v]" % (round, round % 40),
                            name="<x>", share="publish", refs=[["py", 1, foreign["ref"]]])
        for _ in range(round % 3 + 1):
            if select.select([js.requests], [], [], 0.0003 * (round % 7))[0]:
                break
            js.interrupt()
        header, body = js.receive()
        while header["re"] != identity:
            header, body = js.receive()
        for ref in header.get("refs", []):
            held[tuple(ref)] = held.get(tuple(ref), 0) + 1
        if header["op"] == "ret":
            value = json.loads(body)
            assert [items_of(each)[1] for each in value] == [7] * (len(value) - 2) + [0, 1] and items_of(value[-2])[0] == round
        else:
            assert header["code"] == "runtime/interrupted", header
    js.request("status")
    js.send({"op": "release", "refs": [[*ref, times] for ref, times in held.items() if ref[0] == "js"]})
    js.run("big = null; mine.release(); require('v8').setFlagsFromString('--expose-gc'); require('vm').runInNewContext('gc')(); 1")
    end = time.monotonic() + DEADLINE
    while js.status()["mappings"] > 0:
        js.run("require('vm').runInNewContext('gc')(); 1")
        assert time.monotonic() < end, js.status()
    status = js.status()
    idle = {name for name in memory.names() if name.startswith(memory.prefix)}
    assert len(idle) == status["segments"]
    assert status["held"] <= 41, status  # what the first reply listed, which was never given back
    assert counts(js)[0] <= before + 66
    js.close()


def test_large_segments(js):  # noqa: F811
    """Node has no ArrayBuffer of more than 4 GiB, or whatever it says."""
    most = js.value("require('buffer').constants.MAX_LENGTH")
    number, name = js.memory.make(b"", mode=0o600)
    os.truncate(SHARED / name, 5 << 30)  # nothing of it is ever touched
    record = {**js.memory.record(b"", "uint8", [5 << 30]), "ref": number, "segment": name}
    if most < 5 << 30:
        assert js.refuse("v", {"v": record}) == js.refuse("meta.empty(5 * 2 ** 30, 'uint8')") == "buffer/range"
    (SHARED / name).unlink()
    assert js.run("1+1") == b"2"


def test_to_attach_does_not_take_longer_for_a_large_array(mapped):
    """V8 starts a collection for each; it must not end in the request, which takes some milliseconds."""
    js = mapped
    records = []
    for size in (1 << 20, 1 << 30):
        number, name = js.memory.make(b"", mode=0o600)
        os.truncate(SHARED / name, size)
        records.append({**js.memory.record(b"", "float64", [size // 8]), "ref": number, "segment": name})

    def median(record):
        times = []
        for _ in range(100):
            start = time.perf_counter()
            js.ask("v.release(); 1", {"v": record})
            times.append(time.perf_counter() - start)
        return sorted(times)[50]

    found = []
    while len(found) < 5 and (not found or found[-1] > 1e-3):  # other programs run too
        found.append(median(records[1]) - median(records[0]))
    assert found[-1] <= 1e-3, found
