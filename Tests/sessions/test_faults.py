"""Standard streams that are closed or full, results past every size, text that would steer a terminal, waits that must end."""

import signal
import subprocess

import pytest
from session import PROGRAM


def run(*words, **options):
    options = {"capture_output": True, "text": True, "timeout": 60, "stdin": subprocess.DEVNULL} | options
    return subprocess.run([PROGRAM, *words], **options)


def shell(line):
    return subprocess.run(["bash", "-c", line, PROGRAM], capture_output=True, text=True, timeout=60)


def test_results_that_cannot_be_written_are_an_error():
    done = shell('"$0" -e 1 >/dev/full')
    assert (done.returncode, "No space left on device" in done.stderr) == (1, True)
    done = shell('"$0" -e 1 >&-')
    assert (done.returncode, "Bad file descriptor" in done.stderr) == (1, True)


@pytest.mark.parametrize("form", ["1", '(py "1")', '(js "1")', '(sh "echo 1")'])
def test_closed_streams_harm_nothing(form):
    assert shell(f'"$0" -e \'{form}\' >&- 2>&- <&-').returncode == 1
    assert shell(f'"$0" -r -e \'{form}\' 2>&- <&-').stdout == "1\n"


def test_a_closed_standard_input_is_an_empty_script():
    assert shell('"$0" <&-').returncode == 0


@pytest.mark.parametrize(
    "form",
    [
        '(var s "x") (while true (set s (str s s)))',
        "(var v [1]) (while true (set v (concat v v)))",
        '(var s "x") (while true (set s ("" s s)))',
    ],
)
def test_doubling_ends_in_an_error(form):
    done = run("-e", form)
    assert (done.returncode, "eval/size" in done.stderr) == (1, True)


def test_names_from_data_do_not_steer_the_terminal():
    done = run("--pretty", "-e", '[(symbol "\\u001b]0;x\\u0007") (keyword "\\u001b[31m") (py "chr(27)")]')
    assert done.returncode == 0 and "\x1b" not in done.stdout


@pytest.mark.parametrize(
    "code", ["await nope(1)", "await Promise.reject(new ReferenceError('x'))", "nope(1); await 1"]
)
def test_errors_of_awaiting_code_are_errors(code):
    done = run("-r", "-e", f'(do (js "await 1") (try (js "{code}") (catch e e.type)))')
    assert done.stdout == "ReferenceError\n"


def test_a_signal_ends_a_program_whose_cleanups_never_do():
    form = "(print 1) (def f (x) (try (f x) (finally (f x)))) (f 1)"
    with subprocess.Popen([PROGRAM, "--pretty", "-e", form], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as meta:
        assert meta.stdout.readline() == b"1\n"
        meta.send_signal(signal.SIGTERM)
        assert meta.wait(timeout=30) == 143


def test_a_shell_block_shows_what_it_printed(tmp_path):
    page = tmp_path / "notes.md"
    page.write_text("# Notes\n\n```sh\necho hi\n```\n\n```py\nprint('there')\n```\n")
    assert run(page).stdout == "hi\nthere\n"


def test_a_session_with_a_limit_is_interrupted_then_restarted():
    script = """
        (spawn 'py :as "p2" :timeout 0.5)
        (p2 "x = 41")
        (try (p2 "import time; time.sleep(60)") (catch e (def first e)))
        (p2 "x + 1")
        (try (p2 "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\\nwhile True: pass") (catch e (def second e)))
        [first.code first.help second.code second.help (try (p2 "x") (catch e e.type))]
    """
    done = run("--raw", input=script, stdin=None)
    assert done.stdout.splitlines()[-1] == (
        '["session/timeout","its state is kept","session/timeout",'
        '"it did not listen and was restarted; what it held is gone","NameError"]'
    )
