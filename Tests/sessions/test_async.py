"""Several runtimes at work at once, with the real interpreters: futures, limits, circles."""

import subprocess
import time

import pytest

SECOND = '(parallel (py "import time; time.sleep(1)") (js "await new Promise(r => setTimeout(r, 1000))") (sh "sleep 1"))'


def lines(output: str) -> list[str]:
    return [line.split("  ;")[0] for line in output.splitlines()]


@pytest.fixture
def script(meta):
    """script(text): its status, the lines of its results, its errors; it goes on after errors."""

    def run(text: str) -> tuple[int, list[str], str]:
        status, output, errors = meta("--pretty", "--keep-going", stdin=subprocess.PIPE).finish(text.encode())
        return status, lines(output), errors

    return run


def elapsed(script, form: str) -> float:
    """Seconds that a form takes once its sessions run."""
    status, output, errors = script(f'(parallel (py "1") (js "1") (sh ":"))\n(def start (time.now))\n{form}\n(- (time.now) start)')
    assert status == 0, errors
    return float(output[-1])


def test_three_runtimes_work_at_once(script):
    assert elapsed(script, SECOND) < 2


def test_promises_of_one_session_are_awaited_at_once(script):
    form = '(apply parallel (map (fn (n) (fn () (js "await new Promise(r => setTimeout(r, 500)); 1"))) (range 20)))'
    assert elapsed(script, form) < 3


def test_calls_of_one_session_that_works_queue(script):
    text = '(parallel (py "xs = [1]; import time; time.sleep(0.2); xs.append(2)") (py "xs.append(3); xs"))'
    assert script(text)[1] == ["[null [1 2 3]]"]


def test_the_end_of_a_script_waits_for_its_futures(evaluate):
    status, output, errors = evaluate('(async (do (py "import time; time.sleep(0.3)") (py "print(\'late\')")))')
    assert status == 0 and "late" in output + errors


def test_an_error_at_the_end_is_told_once(script):
    status, output, errors = script('(def f (async (py "1/0")))\n(def g (async (py "int(\'x\')")))\n(try (await g) (catch e 5))\n')
    assert status == 1 and output == ["5"]
    assert errors.count("ZeroDivisionError") == 1 and "nobody awaited it" in errors
    assert "ValueError" not in errors


def test_a_program_that_failed_does_not_wait(meta):
    run = meta("-e", '(async (sh "sleep 60"))', "-e", "(throw 5)")
    status, _, errors = run.finish(deadline=20)
    assert status == 1 and "a future had not ended and was stopped" in errors
    run.wait_until_nothing_is_left()


def test_exit_in_a_future_ends_the_program(meta):
    run = meta("-e", '(def f (async (do (py "1") (exit 7))))', "-e", '(sh "sleep 60")')
    assert run.finish(deadline=20)[0] == 7


def test_the_first_error_stops_the_others(script):
    status, output, errors = script(
        '(parallel (py "import time; kept = 1; time.sleep(60)") (js "kept = 2; await new Promise(() => {})") (sh "sleep 0.5; false"))\n'
        '(str (py "kept") (js "kept"))'
    )
    assert output == ['"12"'], errors
    assert "error[runtime/status]" in errors and "form 3 of 3 failed; of the others 2 stopped" in errors


CIRCLES = {
    "two runtimes that call each other": (
        '(parallel (py "import time; time.sleep(0.2); meta.eval(\'js\', \'1+1\')") (js "meta.eval(\'py\', \'1+2\')"))',
        "[2 3]",
    ),
    "deeper": (
        '(parallel (py "meta.eval(\'js\', \'meta.eval(\\"py\\", \\"7\\")\')") (js "meta.eval(\'py\', \'meta.eval(\\"js\\", \\"8\\")\')"))',
        "[7 8]",
    ),
    "a future that needs the session which waits for it": (
        '(def g () (await f))\n(def f (async (py "import time; time.sleep(0.1); 5")))\n(py "meta.call(\'g\')")',
        "5",
    ),
    "a future that will need it": (
        '(def g () (await f))\n(def f (async (do (js "await new Promise(r => setTimeout(r, 100))") (py "6"))))\n(py "meta.call(\'g\')")',
        "6",
    ),
    "many": (
        "(apply parallel (map (fn (n) (fn () (if (even? n) (py \"meta.eval('js', 'x+1', x=n)\" :n n)"
        " (js \"meta.eval('py', 'x+1', {x: n})\" :n n)))) (range 12)))",
        "[1 2 3 4 5 6 7 8 9 10 11 12]",
    ),
}


@pytest.mark.parametrize("text, result", CIRCLES.values(), ids=CIRCLES.keys())
def test_calls_in_a_circle_go_on(script, text, result):
    status, output, errors = script('(py "import meta")\n' + text)
    assert status == 0 and output[-1] == result, errors


LIMITED = {
    "Python": '(py "import time; time.sleep(60)")',
    "a loop in Python": '(py "while True: pass")',
    "a promise": '(js "await new Promise(() => {})")',
    "a loop in Node": '(js "while (true) {}")',
    "the shell": '(sh "sleep 60")',
    "a loop of meta's": "(loop () (recur))",
    "Node under Python": "(py \"meta.eval('js', 'await new Promise(() => {})')\")",
    "the shell under Node": "(js \"meta.eval('sh', 'sleep 60')\")",
    "a loop of meta's under Python": "(py \"meta.call('forever')\")",
    "a future started inside": '(await (async (py "import time; time.sleep(60)")))',
    "a future left alone": '(do (async (py "import time; time.sleep(60)")) (sh "sleep 60"))',
    "several": '(parallel (py "import time; time.sleep(60)") (js "while (true) {}") (loop () (recur)))',
    "what waits for a session": '(parallel (py "import time; time.sleep(60)") (py "import time; time.sleep(60)"))',
}


@pytest.mark.parametrize("form", LIMITED.values(), ids=LIMITED.keys())
def test_a_time_that_is_up_stops_what_runs_and_keeps_the_sessions(script, form):
    status, output, errors = script(
        '(py "import meta; kept = 1") (js "kept = 2; 1") (sh "kept=3")\n(def forever () (loop () (recur)))\n'
        f'(with-timeout 0.5 {form})\n(str (py "kept") (js "kept") (sh "echo $kept"))'
    )
    assert output[-1] == '"123"', errors
    assert errors.count("error[") == 1 and "error[eval/timeout]: this took longer than 0.5 s" in errors


def test_a_session_that_does_not_listen_is_restarted_and_no_other(script):
    status, output, errors = script(
        '(js "kept = 2; 1")\n(py "import signal, time")\n'
        '(with-timeout 0.5 (parallel (py "signal.signal(2, signal.SIG_IGN)\\nwhile True: time.sleep(1)")'
        ' (js "await new Promise(() => {})")))\n'
        '(str (py "\'signal\' in globals()") (js "kept"))'
    )
    assert output[-1] == '"false2"', errors
    assert "py: did not listen and was restarted; what it held is gone" in errors
    assert "js: interrupted, the state is kept" in errors


def test_a_limit_ends_one_promise_and_leaves_the_others(script):
    status, output, errors = script(
        '(def other (async (js "await new Promise(r => setTimeout(r, 1500)); 42")))\n'
        '(try (with-timeout 0.3 (js "await new Promise(() => {})")) (catch e e.code))\n(await other)'
    )
    assert output == ['"eval/timeout"', "42"], errors


def test_a_limit_on_what_waits_its_turn_leaves_what_runs(script):
    status, output, errors = script(
        '(def other (async (py "import time; time.sleep(1.5); 42")))\n'
        '(try (with-timeout 0.3 (py "1")) (catch e e.code))\n(await other)'
    )
    assert output == ['"eval/timeout"', "42"], errors


def test_a_thousand_futures(script):
    text = '(def fs (map (fn (n) (async (py "n * 2" :n n))) (range 1000)))\n(sum (map await fs))'
    assert script(text)[1] == ["999000"]


def test_calls_in_a_row_leave_no_trace_of_futures(script):
    text = "(loop (n 0) (if (< n 20000) (do (await (async (+ n 1))) (recur (+ n 1))) n))"
    start = time.monotonic()
    assert script(text)[1] == ["20000"]
    assert time.monotonic() - start < 30


def test_lines_of_several_sessions_are_whole(meta):
    """Each prints its own letter, a line in two halves at a time."""
    python = "import os\\nfor n in range(300): os.write(1, b'p' * 40); os.write(1, b'p' * 40 + b'\\\\n')"
    node = "const fs = require('fs'); for (let n = 0; n < 300; n++) { fs.writeSync(1, 'j'.repeat(40)); fs.writeSync(1, 'j'.repeat(40) + '\\\\n') }"
    shell = "for n in {1..300}; do printf %040d 0 >&2; printf '%040d\\\\n' 0 >&2; done"
    run = meta("--pretty", "-e", f'(parallel (py "{python}") (js "{node}") (sh "{shell}") null)', stderr=subprocess.STDOUT)
    status, output, _ = run.finish()
    assert status == 0, output
    whole = {"p" * 80, "j" * 80, "0" * 80}
    printed = [line for line in output.splitlines() if line[:1] in "pj0"]
    assert len(printed) == 900
    # Standard error is a stream of its own here: it may begin in the middle of a line of the other.
    assert sum(line in whole for line in printed) == 900




FUNCTIONS = '(py "def f(x, k=1):\\n  return 10 // (x - 70) * k")\n(js "var g = x => { if (x === 70) throw new Error(\'seventy\'); return x * 2 }")\n'


def test_many_calls_keep_their_order_and_stop_at_an_error(script):
    status, output, errors = script(
        FUNCTIONS + "(= (map-in js.g (range 60)) (map #(* 2 #) (range 60)))\n(sum (map-in py.f [71 72] :k 2))\n"
        "(map-in py.f (range 100))\n(map-in js.g (range 100))\n(= (map-in py.math.sqrt (range 5000)) (map math.sqrt (range 5000)))"
    )
    assert [line for line in output if "function" not in line] == ["true", "30", "true"], errors
    assert errors.count("this is item 70 of 100, counted from 0") == 2


def test_many_calls_let_others_have_their_turn(script):
    status, output, errors = script(
        '(def many (async (map-in py.time.sleep (map (fn (n) 0.01) (range 400)))))\n(py "1")\n(done? many)\n(count (await many))'
    )
    assert output == ["1", "false", "400"], errors


def test_many_promises_are_awaited_at_once(script):
    text = '(js "var slow = async (x) => { await new Promise(r => setTimeout(r, 300)); return x }")\n(sum (map-in js.slow (range 64)))'
    start = time.monotonic()
    assert script(text)[1][-1] == "2016"
    assert time.monotonic() - start < 10


def test_many_calls_that_call_back(script):
    status, output, errors = script(
        '(py "import meta; f = lambda x: meta.call(\'js.Math.sqrt\', x)")\n(js "var f = x => meta.call(\'py.math.sqrt\', x)")\n'
        "(def squares (map #(* # #) (range 30)))\n"
        "(parallel (sum (map-in py.f squares)) (sum (map-in js.f squares)))"
    )
    assert output[-1] in ("[435 435]", "[435 435.0]", "[435.0 435.0]"), errors


def test_a_limit_stops_many_calls(script):
    status, output, errors = script(
        '(try (with-timeout 0.5 (map-in py.time.sleep [0.01 0.01 60 60 60 60 60 60 60])) (catch e e.code))\n(py "1")'
    )
    assert output == ['"eval/timeout"', "1"], errors
