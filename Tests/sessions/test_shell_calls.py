"""`meta call` in the shell, the shell called from other languages, and both inside of each other."""

import json
import os
import signal

import pytest

PYTHON = '''(py """
import meta, sys, time
def echo(text): return "<" + meta.call("sh.echo", text) + ">"
def shell(code, **values): return meta.eval("sh", code, **values)
def again(n): return "end" if int(n) == 0 else meta.eval("sh", 'meta call py.again "$n"', n=str(int(n) - 1))
def caught(f, *a, **k):
    try: return f(*a, **k)
    except meta.Error as e: return [e.code, e.data]
def raises(): raise ValueError("bad")
def go(): open("said", "w").write("go"); time.sleep(100)
nothing = lambda: None
""")'''


@pytest.fixture
def run(meta):
    """run(form, …): the last result of a program that has PYTHON's functions, without its last newline."""

    def run(*forms, errors=""):
        status, output, told = meta("--raw", "-e", PYTHON, *[part for form in forms for part in ("-e", form)]).finish()
        assert (status, told) == (0, errors), told
        return output.removesuffix("\n")

    return run


@pytest.fixture
def shell(run):
    """shell(code): what the code writes to standard output."""
    return lambda code, errors="": run(f'(sh """{code}\n""")', errors=errors)


@pytest.mark.parametrize("code, output", {
    "call": ("meta call py.len 'a b'", "3"),
    "a path": ("meta call py.str.upper é", "É"),
    "arguments are text": ("meta call py.repr 16", "'16'"),
    "and never source": ("meta call py.repr '$(x)\" ;#'", "'$(x)\" ;#'"),
    "JSON": ("meta call -j js.Math.max 1 2.5", "2.5"),
    "a string stands bare": ("meta eval py '\"a b\"'", "a b"),
    "what has parts is JSON": ("""meta eval py '[1, None, {"a": "b"}]'""", '[1,null,{"a":"b"}]'),
    "tagged values are JSON": ("meta eval py '(1, 2)'", '{"_type":"Tuple","items":[1,2]}'),
    "a decimal is text": ("meta eval py 'import decimal; decimal.Decimal(\"1.50\")'", "1.50"),
    "null is nothing": ('x=$(meta call py.nothing); echo "[$x]"', "[]"),
    "exact integers": ("meta eval py '2**70'", str(2**70)),
    "values by name": ("meta eval py 'x * 2' x=41", "4141"),
    "JSON by name": ("meta eval -j py 'x + y' x=41 y=1", "42"),
    "an equals sign in a value": ("meta eval py x x=a=b", "a=b"),
    "get": ("meta get py.math.pi", "3.141592653589793"),
    "set": ("meta set py.v 'a b'; meta get py.v", "a b"),
    "set JSON": ("meta set -j js.v '[1,2]'; meta get js.v.length", "2"),
    "options of the called are its own": ("meta call sh.printf -- -j", "-j"),
    "a dash as it is": ("meta call -- py.str.join - ab", "a-b"),
    "input": ("printf 'a\\nb' | meta call py.repr -", "'a\\nb'"),
    "input with NUL": ("printf 'a\\0b' | meta call py.repr -", "'a\\x00b'"),
    "input that is no text": ("printf '\\377' | meta call py.repr -", "b'\\xff'"),
    "input as bytes": ("printf ab | meta call -b py.repr -", "b'ab'"),
    "input as a value": ("printf ab | meta eval py 'x + y' y=c x=-", "abc"),
    "input as source": ("echo '1 + 1' | meta eval py -", "2"),
    "a million characters": ("head -c 1000000 /dev/zero | tr '\\0' x | meta call py.len -", "1000000"),
    "in a substitution": ('n=$(meta call py.len abc); echo "n=$n"', "n=3"),
    "in a pipeline": ("meta call py.str.upper abc | meta eval py 'x.strip()[::-1]' x=-", "CBA"),
    "in a subshell": ("(meta call py.len abc)", "3"),
    "in the background": ("meta call py.len abc & wait", "3"),
    "in a sourced script": ("echo 'meta call py.len \"$1\"' >s.sh; . ./s.sh abcd", "4"),
    "in a function with options": ("set -euo pipefail; f() { local x; x=$(meta call py.len abc); echo $x $-; }; f", "3 ehuBc"),
    "under other IFS and locale": ("IFS=:1; LC_ALL=C; meta call py.len é; meta call py.len 111", "1\n3"),
    "with functions of a user's": ("read() { :; }; printf() { :; }; set() { :; }; local() { :; }; meta call py.len abc", "3"),
    "with output elsewhere": ("meta call py.echo a >f; cat f", "<a>"),
    "the shell itself": ("x=5; meta eval sh 'echo $x'", "5"),
}.values())
def test_calls(shell, code, output):
    assert shell(code) == output


def test_a_function_of_meta(run):
    assert run('(def join (a b) (str a "-" b))', '(sh "meta call join 1 \'x y\'")') == "1-x y"
    assert run('(sh "meta eval meta \'(* 6 7)\'")') == "42"
    assert run('(def limit 12)', '(sh "meta get limit")') == "12"


@pytest.mark.parametrize("code, status, message", [
    ("meta call py.raises", 1, "runtime/raised: ValueError: bad"),
    ("meta call py.absent", 1, "runtime/missing: "),
    ("meta call absent", 1, "runtime/missing: "),
    ("meta eval no 1", 1, "session/unknown: "),
    ("meta eval py 'x('", 1, "runtime/raised: SyntaxError: "),
    ("meta get py.len", 1, "value/uncopyable: "),
    (r"""meta eval py '"a\0b"'""", 1, "value/nul: "),
    (r"meta call py.len $'\xff'", 1, "value/utf8: "),
    ("meta call -j py.len '[1,]'", 1, "json/syntax: "),
    ("meta set absent 1", 1, "eval/place: "),
    ("meta call sh.false", 1, "runtime/status: "),
    ("meta eval sh 'exit 7'", 7, "runtime/status: "),
    ("meta call", 2, "too few arguments"),
    ("meta get py.x 1", 2, "too many arguments"),
    ("meta eval py 1 x", 2, "a value is NAME=VALUE, got x"),
    ("meta call -q py.len", 2, "unknown option -q"),
])
def test_errors(run, meta, code, status, message):
    form = f'(sh:run """{code} 2>err; echo "$?"; cat err\n""")'
    result = json.loads(run(form))
    first, told = result["stdout"].split("\n", 1)
    assert (int(first), told[:6 + len(message)]) == (status, "meta: " + message)
    assert (result["stderr"], result["status"]) == ("", 0)


def test_errors_are_conditions(shell):
    assert shell("meta call py.raises 2>/dev/null || echo other; if meta call py.raises 2>&-; then echo no; fi") == "other"


def test_the_program_meta_is_still_there(shell, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "meta").write_text("#!/bin/sh\necho program \"$@\"\n")
    (tmp_path / "bin" / "meta").chmod(0o755)
    assert shell("PATH=$PWD/bin:$PATH; meta -e '(x)'") == "program -e (x)"


# ------------------------------------------------------------------------------------------------- from other languages


@pytest.mark.parametrize("form, result", [
    ('(py "meta.call(\'sh.printf\', \'%s.\', \'a b\', \'$x\')")', "a b.$x."),
    ('(py "meta.call(\'sh.echo\', m=3, all=True)")', "-m 3 --all"),
    ('(js "meta.call(\'sh.echo\', \'-e\', \'a b\')")', "a b"),
    ('(py "meta.eval(\'sh\', \'echo $x; echo err >&2\', x=\'a  b\')")', "a b"),
    ('(py "caught(meta.call, \'sh.false\')")',
     '["runtime/status",{"status":1,"stdout":"","stderr":""}]'),
    ('(py "caught(shell, \'echo out; echo one >&2; echo two >&2; exit 3\')")',
     '["runtime/status",{"status":3,"stdout":"out\\n","stderr":"one\\ntwo"}]'),
    ('(js "try { meta.eval(\'sh\', \'exit 4\') } catch (e) { [e instanceof meta.Error, e.code, e.data.status] }")',
     '[true,"runtime/status",4]'),
    ('(py "caught(meta.call, \'sh.echo\', [1])[0]")', "value/uncopyable"),
    ('(py "caught(meta.call, \'sh.echo\', None)[0]")', "value/uncopyable"),
    ('(py "caught(meta.call, \'sh.echo\', \'a\\\\0b\')[0]")', "value/nul"),
    ('(py "meta.call(\'sh.echo\', 2**70, 1.5, True)")', f"{2**70} 1.5 true"),
    ('(py "meta.call(\'sh.cat\', b\'a\\\\xc3\\\\xa9\')")', "aé"),
])
def test_the_shell_from_other_languages(meta, form, result):
    status, output, _ = meta("--raw", "-e", PYTHON, "-e", form).finish()
    assert (status, output) == (0, result + "\n")


# ----------------------------------------------------------------------------------------------------- in each other


def test_output_goes_to_whom_it_belongs(run):
    code = "echo before; meta call py.echo 'a b'; echo after"
    assert run(f'(sh "{code}")') == "before\n<a b>\nafter"
    assert run("(sh \"x=$(meta call py.echo c); echo [$x]\")") == "[<c>]"
    assert run("(sh \"meta call py.echo c | tr c d\")") == "<d>"


def test_state_that_an_inner_request_sets_stays(run):
    code = "y=old; meta call py.shell 'v=5; declare -g w=6; cd /'; echo $v $w $PWD $y"
    assert run(f'(sh "{code}")') == "\n5 6 / old"
    code = "f() { local x=outer; meta eval sh 'echo $x; x=changed' x=inner; echo $x; }; f; echo [$x]"
    assert run(f'(sh "{code}")') == "inner\nouter\n[]"


def test_standard_input_is_not_the_inner_requests(shell):
    assert shell("printf 'a\\nb\\n' | while read -r x; do meta eval sh cat; echo $x; done") == "\na\n\nb"


def test_an_inner_exit_ends_the_inner_request(shell):
    assert shell("meta eval sh 'exit 3' 2>&-; echo $?; meta eval sh 'exit 0'; echo on") == "3\n\non"


def test_nesting_to_a_stated_depth(run, meta):
    assert run('(sh "meta call py.again 20")') == "end"
    status, output, errors = meta(
        "--raw", "-e", PYTHON, "-e", '(try (sh "meta call py.again 200") (catch e (sh "echo fine")))').finish()
    assert "meta: session/depth: calls between runtimes nest more than 100 deep" in errors
    assert (status, output) == (0, "fine\n")


def test_processes_of_the_shell_take_turns(shell):
    code = "for i in {1..20}; do meta call py.echo $i & done; wait; meta call py.echo last"
    *lines, last = shell(code).splitlines()
    assert sorted(lines) == sorted(f"<{i}>" for i in range(1, 21)) and last == "<last>"


def test_a_killed_caller_does_not_stop_the_others(shell):
    code = "mkfifo said; (meta call py.go) 2>/dev/null & read -n 2 x <said; kill -9 $!; wait $! 2>&-; meta eval js 1+1"
    assert shell(code) == "2"


# -------------------------------------------------------------------------------------------------------- interrupts

WAITING = {
    "in the shell": "meta call py.go; echo no",
    "in a substitution": "x=$(meta call py.go); echo no",
    "in a pipeline": "meta call py.go | cat; echo no",
    "in functions with errexit": "set -e; f() { meta call py.go; (echo no); }; f; echo no",
    "in the shell below Python": "meta call py.shell 'echo go >said; sleep 100; echo no'; echo no",
    "a loop below a substitution": "x=$(meta call py.shell 'echo go >said; while :; do :; done'); echo no",
    "Python below the shell below Python": "meta call py.shell 'meta call py.go; echo no'; echo no",
}


@pytest.mark.parametrize("code", WAITING.values(), ids=WAITING.keys())
def test_an_interrupt_ends_the_whole_command_and_keeps_the_session(meta, fifo, code):
    cleanup = '(print (sh "echo $v; meta call py.len abcd") (py "1+1"))'
    run = meta("--raw", "-e", PYTHON, "-e", f'(try (sh """v=kept; {code}""") (finally {cleanup}))')
    run.wait_for(fifo)
    os.kill(run.process.pid, signal.SIGINT)
    status, output, errors = run.finish(deadline=20)
    assert (status, output) == (130, "") and "no\n" not in errors
    assert "kept\n4 2\n" in errors, errors


# -------------------------------------------------------------------------------------------------------------- exit


@pytest.mark.parametrize("code, status", [
    ("exit 7", 7), ("f() { while :; do exit 7; done; }; f; echo no", 7), ("false; exit", 1), ("exit 300", 44),
    ("exit -1", 255), ("exit abc", 2), ("set -e; f() { exit 3; }; f; (echo no); echo no | cat", 3),
    ("echo 'exit 5; echo no' >s.sh; . ./s.sh; echo no", 5), ("eval 'exit 6'; echo no", 6), ("(exit 8)", 8),
    ("x=$(exit 9)", 9), ("true | exit 4", 4), ("bash -c 'exit 2'", 2),
])
def test_exit_ends_the_request_and_not_the_session(run, code, status):
    told = "sh: exit: abc: numeric argument required\n" if "abc" in code else ""
    forms = ['(sh "kept=1; cd /")', f'(def r (sh:run """cd - >/dev/null; {code}"""))', '(def s (sh "set +e; echo $kept"))']
    assert json.loads(run(*forms, '[r.status r.stdout s]', errors=told)) == [status, "", "1"]


def test_exit_is_an_error_with_its_status(evaluate):
    _, _, errors = evaluate('(sh "exit 7")')
    assert "error[runtime/status]: the command ended with status 7" in errors


def test_the_builtin_ends_the_session(evaluate):
    _, output, errors = evaluate('(sh "kept=1")', '(try (sh "builtin exit 3") (catch e [e.code (sh "echo [$kept]")]))')
    assert (output, errors) == ('["session/exited" "[]"]\n', "")
