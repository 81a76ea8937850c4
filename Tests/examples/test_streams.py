"""What goes in and out of a program in a pipeline: bytes that are no text, line ends, which stream a print is on."""

import subprocess

from session import PROGRAM


def run(*words, given=b""):
    return subprocess.run([PROGRAM, *words], input=given, capture_output=True, timeout=60)


def test_a_file_prints_into_a_pipe(tmp_path):
    script = tmp_path / "say.meta"
    script.write_text('(print "from meta")\n(py "print(\'from py\')")\n')
    assert run(script).stdout == b"from meta\nfrom py\n"
    assert run("--raw", script).stderr == b"from meta\nfrom py\n"


def test_prints_of_a_one_liner_are_apart_from_its_result():
    result = run("-r", "-e", '(do (print "note") 5)')
    assert (result.stdout, result.stderr) == (b"5\n", b"note\n")


def test_standard_input_that_is_no_text_is_bytes():
    assert run("-r", "-e", '(py "list(b)" :b stdin)', given=b"\xff\x00a").stdout == b"[255,0,97]\n"
    assert b"lines takes a string" in run("-e", "(lines stdin)", given=b"\xff").stderr


def test_a_line_ends_at_the_newline_whatever_stands_before_it():
    assert run("-r", "-e", "(sh:lines \"printf 'a\\r\\nb'\")").stdout == b'["a\\r","b"]\n'


def test_markdown_with_carriage_returns(tmp_path):
    page = tmp_path / "page.md"
    page.write_bytes(b"# A page\r\n\r\n```meta\r\n(print 1)\r\n```\r\n")
    assert run(page).stdout == b"1\n"


def test_listing_the_functions_leaves_the_rest_of_the_script():
    script = b"(count (functions))\n" + b"; a comment to fill a pipe\n" * 8_000 + b"(+ 1 2)\n"
    assert run("--raw", given=script).stdout.endswith(b"\n3\n")
