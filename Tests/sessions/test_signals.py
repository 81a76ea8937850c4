"""Signals to a script and to one-liners: the status, and nothing left behind."""

import os
import signal
import subprocess

import pytest

# Each says through the fifo `said` that it runs; children hold it open only until they have said so.
RUNNING = {
    "python": "(py \"open('said', 'w').write('go')\\nwhile True: pass\")",
    "python sleep": "(py \"import time; open('said', 'w').write('go'); time.sleep(100)\")",
    "node": "(js \"require('fs').writeFileSync('said', 'go'); while (1) {}\")",
    "node promise": "(js \"require('fs').writeFileSync('said', 'go'); await new Promise(() => {})\")",
    "shell": '(sh "echo go >said; sleep 100")',
    "shell loop": '(sh "echo go >said; while :; do :; done")',
    "meta": '(do (sh "echo go >said") (loop () (recur)))',
}


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("form", RUNNING.values(), ids=RUNNING.keys())
def test_a_signal_ends_a_one_liner(meta, fifo, form, number, status):
    run = meta("-e", form, "-e", '(print "never")')
    run.wait_for(fifo)
    os.kill(run.process.pid, number)
    code, output, _ = run.finish(deadline=20)
    assert (code, "never" in output) == (status, False)
    run.wait_until_nothing_is_left()


def test_a_signal_ends_a_script_that_keeps_going(meta, fifo, tmp_path):
    (tmp_path / "script.meta").write_text(RUNNING["python sleep"] + '\n(print "never")\n')
    run = meta("--keep-going", "script.meta")
    run.wait_for(fifo)
    os.kill(run.process.pid, signal.SIGINT)
    code, output, _ = run.finish()
    assert (code, output) == (130, "")


def test_a_signal_while_standard_input_is_awaited(meta):
    run = meta("--pretty", stdin=subprocess.PIPE)
    run.process.stdin.write(b"(+ 1 2)\n")
    run.process.stdin.flush()
    assert run.process.stdout.readline() == b"3\n"
    os.kill(run.process.pid, signal.SIGINT)
    assert run.process.wait(20) == 130


def test_a_kernel_that_ignores_every_signal_goes_with_meta(meta, fifo):
    code = "import signal; [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 15)]; open('said', 'w').write('go')"
    run = meta("-e", f'(py "{code}\\nwhile True: pass")')
    run.wait_for(fifo)
    os.kill(run.process.pid, signal.SIGTERM)
    assert run.finish()[0] == 143
    run.wait_until_nothing_is_left()


GRANDCHILDREN = {
    "python": "(py \"import subprocess; p = subprocess.Popen(['sleep', '1000']); open('said', 'w').write('go'); "
    'p.wait()")',
    "shell": '(sh "sleep 1000 & sleep 1000 & echo go >said; wait")',
    "node": "(js \"const c = require('child_process').spawn('sleep', ['1000']); "
    "require('fs').writeFileSync('said', 'go'); await new Promise(() => {})\")",
}


@pytest.mark.parametrize("form", GRANDCHILDREN.values(), ids=GRANDCHILDREN.keys())
def test_killed_meta_leaves_no_process(meta, fifo, form):
    run = meta("-e", form)
    run.wait_for(fifo)
    assert len(run.processes()) >= 3
    run.process.kill()
    assert run.process.wait(10) == -signal.SIGKILL
    run.wait_until_nothing_is_left()


def test_what_programs_started_in_the_background_ends_with_meta(meta):
    run = meta("-e", '(sh "sleep 1000 &")', "-e", "(py \"import subprocess; subprocess.Popen(['sleep', '1000']); 1\")")
    assert run.finish()[0] == 0
    run.wait_until_nothing_is_left()


ENDLESS = {
    "py": '(py "while True: print(1)")',
    "js": '(js "while (true) console.log(1)")',
    "meta": "(loop () (print 1) (recur))",
    "sh": '(sh "yes 1 >&2")',
}


@pytest.mark.parametrize("form", ENDLESS.values(), ids=ENDLESS.keys())
def test_output_that_nobody_reads_ends_quietly(meta, form):
    run = meta("--pretty", "-e", form, stderr=subprocess.STDOUT)
    assert run.process.stdout.readline() == b"1\n"
    run.process.stdout.close()
    assert run.process.wait(20) == 141
    run.wait_until_nothing_is_left()


def test_results_that_nobody_reads_end_quietly(meta):
    run = meta("--pretty", stdin=subprocess.PIPE)
    run.process.stdin.write(b"(+ 1 2)\n" * 2)
    run.process.stdin.flush()
    assert run.process.stdout.readline() == b"3\n"
    run.process.stdout.close()
    run.process.stdin.write(b"(+ 1 2)\n" * 2)
    run.process.stdin.flush()
    assert run.process.wait(20) == 141
    assert run.process.stderr.read() == b""


def test_one_liners_read_standard_input(meta):
    run = meta("--raw", "-e", '(py "t.upper()" :t stdin)', stdin=subprocess.PIPE)
    assert run.finish(b"abc\n")[:2] == (0, "ABC\n\n")
    run = meta("--raw", "-e", "-", stdin=subprocess.PIPE)
    assert run.finish(b"(+ 1 2)")[:2] == (0, "3\n")


def test_programs_in_sessions_do_not_read_what_meta_reads(meta):
    run = meta("--pretty", stdin=subprocess.PIPE)
    code, output, _ = run.finish(b'(sh "cat; echo done")\n(py "import sys; sys.stdin.read()")\n(+ 1 2)\n')
    assert code == 0 and [line.split("  ;")[0] for line in output.splitlines()] == ['"done"', '""', "3"]
