"""What a user sees of shared memory: what it costs to ask, when it goes, what is said when it has gone."""

import os
import pathlib
import signal

FOLDER = pathlib.Path("/dev/shm")
FACTS = "shape format rank size nbytes strides owner type layout".split()


def segments(pid):
    return [path.name for path in FOLDER.glob(f"meta-{os.getuid()}-{pid}-*")]


def test_facts_need_no_message(meta):
    meta('(def a (py "import numpy as np; np.zeros((100, 200, 3), np.uint8)"))')
    before = len(meta.frames())
    told = [meta(f"(buffer.{fact} a)") for fact in FACTS]
    assert told == ["[100 200 3]", '"uint8"', "3", "60000", "60000", "[600 3 1]", '"py"', "", ""]
    assert meta("(count a)") == "100"
    assert len(meta.frames()) == before


def test_contents_are_asked_for_once(meta):
    meta('(def a (py "import numpy as np; a = np.arange(100_000.0); a"))')
    assert meta.segments == []
    assert meta("(buffer.get a 5)") == "5.0"
    assert len(meta.segments) == 1
    before = [header["op"] for direction, header in meta.frames()]
    assert meta('(js "x[7]" :x a)') == "7"
    assert meta("(buffer.sum a)") == "4999950000.0"
    after = [header["op"] for direction, header in meta.frames()[len(before) :]]
    assert before.count("publish") == 1 and "publish" not in after
    assert len(meta.segments) == 1


def test_the_contents_are_those_when_they_were_first_needed(meta):
    meta('(def a (py "import numpy as np; a = np.arange(10_000.0); a"))')
    meta('(py "a[0] = 1")')
    assert meta("(buffer.get a 0)") == "1.0"
    meta('(py "a[0] = 2")')
    assert meta("(buffer.get a 0)") == "1.0"
    assert meta('(js "x[0]" :x a)') == "1"
    assert meta('(py "x is a" :x a)') == "true"
    assert meta('(js "x[0]" :x (py "a"))') == "2"


def test_a_written_view_is_a_new_array(meta):
    meta('(def a (py "import numpy as np; a = np.arange(10_000.0); a"))')
    meta('(js "globalThis.v = x; 0" :x a)')
    assert meta('(buffer.owner (js "v"))') == '"py"'
    assert meta('(py "x[1].item()" :x (js "v"))') == "1.0"
    meta('(js "v[1] = 50; 0")')
    assert meta('(buffer.owner (js "v"))') == '"js"'
    assert meta('(py "x[1].item(), a[1].item()" :x (js "v"))') == "(tuple 50.0 1.0)"
    assert meta("(buffer.get a 1)") == "1.0"


def test_what_is_dropped_goes(meta):
    meta('(py "import numpy as np, gc; a = np.arange(100_000.0)")')
    meta("(def total 0)")
    for _ in range(20):
        meta('(set total (+ total (js "var s = x[3]; x.release(); s" :x (py "a"))))')
    assert meta("total") == "60"
    assert len(meta.segments) <= 3
    meta('(def big (py "meta = __import__(\'meta\'); meta.empty(1_000_000)"))')
    meta("(buffer.get big 0)")
    held = meta('(map :holders (filter (fn (s) (> s.bytes 1_000_000)) (get (buffer.stats) :of)))')
    assert held == "[{meta: 1}]"
    meta("(buffer.release big)")
    assert meta.fails("(buffer.get big 0)").startswith("error[buffer/stale]: the buffer was released")


def test_an_owner_that_dies_leaves_its_arrays_stale(meta):
    meta('(def a (py "import numpy as np; np.arange(100_000.0)"))')
    meta('(def b (py "np.ones(100_000)"))')
    meta('(def c (py "np.ones(10)"))')
    meta('(js "globalThis.v = x; 0" :x a)')
    meta("(buffer.get b 0)")
    os.kill(int(meta('(py "import os; os.getpid()")')), signal.SIGKILL)
    meta('(try (py "1") (catch e 1))')
    assert meta('(py "1")') == "1"
    for name in "a", "b":
        assert meta.fails(f"(buffer.get {name} 0)").startswith("error[buffer/stale]")
    assert meta.fails("(buffer.get c 0)").startswith("error[session/stale-handle]")
    assert meta('(js "v[99_999]")') == "99999"
    assert meta("(buffer.sum (adopt b))") == "100000.0"
    assert meta("(buffer.sum (adopt a))") == "4999950000.0"
    assert meta('(js "x[99_999] + x.length" :x (adopt a))') == "199999"


def test_mutable_memory_is_one_for_all(meta):
    meta('(def m (py "import meta; m = meta.empty(1000, \'int32\', mutable=True); m[:] = 1; m"))')
    meta("(spawn 'py :as \"other\")")
    meta('(js "globalThis.m = x; m[0] = 10; 0" :x m)')
    meta('(other "m = x; m[1] = 20" :x m)')
    assert meta('(py "m[:3].tolist()")') == "[10 20 1]"
    assert meta('(js "[...m.slice(0, 3)]")') == "[10 20 1]"
    assert meta("(buffer.data (buffer.get m [0 3]))") == "[10 20 1]"


def test_a_view_of_a_file_in_the_shell(meta):
    meta('(def a (py "import numpy as np; np.arange(100_000, dtype=np.uint8)"))')
    assert meta('(sh "wc -c < $f" :f a)') == '"100000"'
    assert meta('(sh.od "-An" "-tu1" "-N3" a)') == '"   0   1   2"'


def test_a_second_session_of_python_sees_slices_and_orders(meta):
    meta("(spawn 'py :as \"other\")")
    meta('(py "import numpy as np; a = np.arange(60_000).reshape(100, 200, 3)")')
    for part in "a[::-1]", "a[:, 5]", "np.asfortranarray(a)", "a.T", "a[2:2]", "a[1, 1, 1:2]", "a.astype(\'>i8\')":
        meta(f'(def part (py "{part}"))')
        expected = meta('(py "import hashlib; x = np.ascontiguousarray(x).astype(\'<i8\'); [hashlib.md5(x).hexdigest(), list(x.shape)]" :x part)')
        found = meta('(other "import hashlib, numpy as np; x = np.ascontiguousarray(x); [hashlib.md5(x).hexdigest(), list(x.shape)]" :x part)')
        assert found == expected, part
        assert meta('(buffer.sum part)') == meta('(py "x.sum().item()" :x part)'), part


def test_meta_dies_and_the_next_one_cleans_up(meta, tmp_path):
    meta('(def a (py "import numpy as np; np.arange(100_000.0)"))')
    meta("(buffer.get a 0)")
    assert meta.segments
    other = type(meta)(deadline=60)
    with other:
        other('(js "globalThis.kept = x; 0" :x (buffer.from (range 5000)))')
        pid = other.process.pid
        other.process.kill()
        other.process.wait()
        assert segments(pid)
    with type(meta)(deadline=60) as third:
        assert third('(buffer.sum (py "import numpy as np; np.ones(1000)"))') == "1000.0"
        assert segments(pid) == []
        third.finish("(exit)")
    assert meta("(buffer.sum a)") == "4999950000.0"


def test_long_bytes_go_on_as_they_came_and_stay(meta):
    meta('(py "data, text = bytes(range(256)) * 1000, \'grün \' * 50_000")')
    meta('(def b (py "data")) (def t (py "text"))')
    meta('(js "globalThis.size = (x) => x.length; 0")')
    assert meta("[(js.size b) (js.size t)]") == "[256000 250000]"
    sent = [header for direction, header in meta.frames() if header["op"] == "call"]
    assert all(header["refs"] for header in sent[-2:])
    meta("(restart 'py)")
    assert meta("[(js.size b) (js.size t) (count b) (count t)]") == "[256000 250000 256000 250000]"


def test_operators_fetch_what_is_with_its_owner(meta):
    meta('(py "import numpy as np; a = np.arange(3.0); b = np.ones(3)")')
    assert meta('(buffer.data (+ (py "a") (py "b")))') == "[1.0 2.0 3.0]"
    assert meta('(let (a (py "a")) (buffer.data (* a a)))') == "[0.0 1.0 4.0]"
    assert meta('(buffer.data (+ (py "a") (js "new Float64Array([1, 1, 1])") (py "b")))') == "[2.0 3.0 4.0]"
    assert meta('(buffer.data (apply + [(py "a") (py "b") 1]))') == "[2.0 3.0 4.0]"
    assert meta('(buffer.dot (py "a") (py "b"))') == "3.0"
    assert meta('(do (var x (py "a")) (set x (+ x 1)) (buffer.data x))') == "[1.0 2.0 3.0]"
    assert meta('(= (py "a") (py "a.copy()"))') == "true"
    assert meta('(buffer.data (buffer.less (py "a") (py "b")))') == "[true false false]"
