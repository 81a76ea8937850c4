"""Objects that stay with their runtime, as values of meta: called, read, compared, gone through there."""

import time

import pytest


def ask(meta, *rows):
    for form, expected in rows:
        assert meta(form) == expected, form


def eventually(meta, form, expected, deadline=20):
    """Releases come in batches; here until one has come."""
    end = time.monotonic() + deadline
    while (printed := meta(form)) != expected:
        assert time.monotonic() < end, printed


def test_attributes_methods_and_calls_in_python(meta):
    meta('(def p (py "Point(3)"))')
    ask(
        meta,
        ("p", "<py Point Point(3)>"),
        ("p.x", "3"),
        ("(p.moved 4)", "<py Point Point(7)>"),
        ("(p.moved 4 :times 2)", "<py Point Point(11)>"),
        ("(.moved p 1)", "<py Point Point(4)>"),
        ("(set p.x 7)", "7"),
        ("p.x", "7"),
        ('(def P (py "Point"))', ""),
        ("(P 9)", "<py Point Point(9)>"),
        ("(map P [1 2])", "[<py Point Point(1)> <py Point Point(2)>]"),
        ("(map p.moved [1 2])", "[<py Point Point(8)> <py Point Point(9)>]"),
        ("(let (q p) (q.moved 1))", "<py Point Point(8)>"),
        ("(.moved (get {a: [p]} :a 0) 1)", "<py Point Point(8)>"),
        ("(let (o {a: {p: p}}) o.a.p.x)", "7"),
        ("(let (o {a: {p: p}}) (o.a.p.moved 2))", "<py Point Point(9)>"),
        ("(do (def o {a: p}) (set o.a.x 8) p.x)", "8"),
        ("(type p)", '"handle"'),
        ("[(handle? p) (function? p) (function? P) (handle? 1)]", "[true false true false]"),
        # As its owner last described it.
        ("(str p)", '"<py Point Point(3)>"'),
        ('(do (py "p" :p p) (str p))', '"<py Point Point(8)>"'),
        ("(if p 1 2)", "1"),
        ("(source p)", '"py"'),
    )


def test_attributes_methods_and_calls_in_javascript(meta):
    meta('(def b (js "globalThis.box = new Box(3)"))')
    ask(
        meta,
        ("b.v", "3"),
        ("(b.plus 4)", "7"),
        ("(b.plus 4 :k 10)", "17"),
        ("(set b.v 7)", "7"),
        ('(get b "v")', "7"),
        ('(set (get b "w") 1)', "1"),
        ("(fetch b)", "{v: 7 w: 1}"),
        ('(js "box === other" :other b)', "true"),
        ('(map (js "x => x + 1") [1 2])', "[2 3]"),
        ('(reduce (js "(a, b) => a + b") 0 [1 2 3])', "6"),
    )


def test_items(meta):
    meta("""(def od (py "__import__('collections').OrderedDict(a=1, b=[1, 2])"))""")
    ask(
        meta,
        ('(get od "a")', "1"),
        ('(get od "b" 1)', "2"),
        ('(set (get od "a") 5)', "5"),
        ('(get od "a")', "5"),
        ("(count od)", "2"),
        ("(values od)", "[5 [1 2]]"),
        ("(merge od {c: 1})", "{a: 5 b: [1 2] c: 1}"),
        ("(fetch od)", "{a: 5 b: [1 2]}"),
    )
    assert "KeyError" in meta('(get od "z")')
    assert "has no length" in meta('(count (py "Point(1)"))')


def test_an_object_comes_home_as_itself(meta):
    meta('(do (py "p = Point(1)") (def p (py "p")) (js "globalThis.box = new Box(1); null") (def b (js "box")))')
    ask(
        meta,
        ('(py "p is q" :q p)', "true"),
        ('(py "p is q[0][\'a\']" :q [{a: p}])', "true"),
        ('(js "box === q" :q b)', "true"),
        ('(py "p is h" :h (js "h" :h p))', "true"),
        ('(js "box === h" :h (py "h" :h (js "h" :h (py "h" :h b))))', "true"),
        ('(= p (js "h" :h p))', "true"),
    )
    meta("(def double #(* # 2))")
    ask(
        meta,
        ('(= double (py "f" :f double))', "true"),
        ('(= double (js "f" :f (py "f" :f double)))', "true"),
        ('(py "f(21)" :f double)', "42"),
        ('(js "f(21)" :f double)', "42"),
        ('(js "f(3)" :f (py "lambda x: x + 1"))', "4"),
        ('(py "f(3)" :f (js "x => x + 1"))', "4"),
        ('(js "h.x" :h p)', "1"),
        ('(py "h.v" :h b)', "1"),
        ('(py "h.plus(1)" :h b)', "2"),
        ("(map b.plus [1 2])", "[2 3]"),
    )


def test_equality(meta):
    meta('(do (def p (py "Point(1)")) (def q (py "Point(1)")) (def r (py "Point(2)")))')
    ask(
        meta,
        ("[(= p p) (= p q) (= p r) (= q r)]", "[true true false false]"),
        ("[(!= p q) (!= p r)]", "[false true]"),
        ("[(= p 1) (= 1 p) (= p null) (= null p)]", "[false false false false]"),
        ("(if (= p q) 1 2)", "1"),
        ("(let (a p b r) (if (= a b) 1 2))", "2"),
        ("(let (a p) (if (= a 5) 1 2))", "2"),
        ("(apply = [p q r])", "false"),
        ("(apply = [p q p])", "true"),
        ("(count (filter #(= # p) [q r p]))", "2"),
        ("(identical? p p)", "true"),
    )
    # The same object is known without a question.
    assert meta.requests("equal", "(= p p)") == 0
    assert meta.requests("equal", "(if (= p q) 1 2)") == 1


GENERATORS = {
    "py": lambda n: f'(py "(i for i in range({n}))")',
    "js": lambda n: f'(js "(function* () {{ for (let i = 0; i < {n}; i++) yield i }})()")',
}


@pytest.mark.parametrize("language", GENERATORS)
def test_going_through_an_object(meta, language):
    of = GENERATORS[language]
    ask(
        meta,
        (f"(count (map inc {of(2500)}))", "2500"),
        (f"(reduce + 0 {of(2500)})", str(sum(range(2500)))),
        (f"(reduce max {of(2500)})", "2499"),
        (f"(take 3 {of(2500)})", "[0 1 2]"),
        (f"(first {of(5)})", "0"),
        (f"(last {of(2500)})", "2499"),
        (f"(sum {of(5)})", "10"),
        (f"(filter even? {of(6)})", "[0 2 4]"),
        (f"(sort-by #(- #) {of(3)})", "[2 1 0]"),
        (f"(let ([a b ...more] {of(5)}) [a b more])", "[0 1 [2 3 4]]"),
        (f"(let ([a b] {of(5)}) [a b])", "[0 1]"),
        (f"(zip {of(3)} {of(9)})", "[[0 0] [1 1] [2 2]]"),
        (f"(apply + {of(4)})", "6"),
        (f"(do (var s 0) (each x {of(2500)} (set s (+ s x))) s)", str(sum(range(2500)))),
        (f"(do (var s 0) (each (x i) {of(2500)} (set s (+ s (- x i)))) s)", "0"),
        (f"(join {of(3)} \"-\")", '"0-1-2"'),
        (f"(empty? {of(0)})", "true"),
        (f"(includes? {of(5)} 3)", "true"),
        (f"(find-index #(= # 2100) {of(2500)})", "2100"),
    )


@pytest.mark.parametrize("language", GENERATORS)
def test_items_cross_a_thousand_at_a_time(meta, language):
    of = GENERATORS[language]
    assert meta.requests("items", f"(count (map inc {of(2500)}))") == 3
    assert meta.requests("items", f"(each x {of(5000)} x)") <= 6
    assert meta.requests("items", f"(take 3 {of(5000)})") == 1


INFINITE = {
    "py": "(py \"__import__('itertools').count()\")",
    "js": '(js "(function* () { for (let i = 0; ; i++) yield i })()")',
}


@pytest.mark.parametrize("language", INFINITE)
def test_what_never_ends_is_read_as_far_as_needed(meta, language):
    source = INFINITE[language]
    ask(
        meta,
        (f"(take 3 {source})", "[0 1 2]"),
        (f"(first {source})", "0"),
        (f"(find #(> # 3000) {source})", "3001"),
        (f"(any? #(> # 3000) {source})", "true"),
        (f"(every? #(< # 3000) {source})", "false"),
        (f"(count (take-while #(< # 2500) {source}))", "2500"),
        (f"(let ([a b] {source}) [a b])", "[0 1]"),
        (f"(try (each x {source} (if (> x 4000) (throw \"enough\") x)) (catch e e.message))", '"enough"'),
    )


def test_copies(meta):
    ask(
        meta,
        ('(def r (py:ref "[1, 2]"))', ""),
        ("r", "<py list [1, 2]>"),
        ("(r.append 3)", ""),
        ("(fetch r)", "[1 2 3]"),
        ("(def c (copy r))", ""),
        ("(c.append 4)", ""),
        ("[(fetch r) (fetch c)]", "[[1 2 3] [1 2 3 4]]"),
        ("(fetch (py \"Point(3)\"))", "{x: 3}"),
        ("(fetch [1 2])", "[1 2]"),
        ("(def s (share {a: [1]} 'py))", ""),
        ("s", "<py dict {'a': [1]}>"),
        ('(get s "a")', "[1]"),
        ('(def b (js:ref "({v: [1]})"))', ""),
        ("(fetch b)", "{v: [1]}"),
        ("(def d (copy b))", ""),
        ("(set d.v 2)", "2"),
        ("[(fetch b) (fetch d)]", "[{v: [1]} {v: 2}]"),
        ("(fetch (share [1 2] 'js))", "[1 2]"),
    )


def test_what_it_says_of_itself(meta):
    assert '"moved"' in meta('(members (py "Point(1)"))')
    assert "Return the number of items" in meta('(doc (py "len"))')
    assert "P.moved" not in meta("(members {a: 1})")


def test_releases_reach_the_owner(meta):
    ask(
        meta,
        ('(do (py "Point(1)") null)', ""),
        ('(py "Point.gone")', "[1]"),
        ('(def p (py "Point(2)"))', ""),
        ('(py "Point.gone")', "[1]"),
        ("(def p null)", ""),
        ('(py "Point.gone")', "[1 2]"),
        ('(def v (py "[Point(3)] * 100"))', ""),
        ('(py "Point.gone")', "[1 2]"),
        ("(def v null)", ""),
        ('(py "Point.gone")', "[1 2 3]"),
        ('(def p (py "Point(4)"))', ""),
        ("(release p)", ""),
        ('(py "Point.gone")', "[1 2 3 4]"),
    )
    assert "session/stale-handle" in meta("p.x")


def test_a_third_session_keeps_an_object(meta):
    ask(
        meta,
        ('(do (js "globalThis.kept = h; null" :h (py "Point(5)")) null)', ""),
        ('(py "Point.gone")', "[]"),
        ('(js "kept.x")', "5"),
        ("(get (first (handles)) :holders)", "{js: 1}"),
        ('(js "meta.release(kept); null")', ""),
    )
    eventually(meta, '(do (js "1") (py "Point.gone"))', "[5]")


def test_the_list_of_handles(meta):
    meta('(def p (py "Point(6)"))')
    meta('(js "globalThis.kept = h; null" :h p)')
    row = meta('(first (filter #(= #.repr "Point(6)") (handles)))')
    assert 'owner: "py"' in row and 'type: "Point"' in row and "holders: {meta: 1 js: 1}" in row


@pytest.mark.parametrize("language, thing", [("py", '(py "Point(1)")'), ("js", '(js "new Box(1)")')])
def test_a_restart_makes_handles_stale(meta, language, thing):
    other = "js" if language == "py" else "py"
    meta(f"(def h {thing})")
    keep = '(js "globalThis.kept = h; null" :h h)' if other == "js" else '(do (py:set "kept" h) null)'
    meta(keep)
    meta(f"(restart '{language})")
    for form in ["h.x", "(h 1)", "(get h 0)", "(set h.x 1)", "(fetch h)", "(count h)", f'({other} "x" :x h)', f'({language} "x" :x h)']:
        printed = meta(form)
        assert "session/stale-handle" in printed and f"session {language}, generation 1" in printed, form
    assert meta(f'({language} "1")') == "1"
    assert "stale-handle" in meta(f'({other} "kept")')
    assert "stale-handle" in meta("h.x")
    assert meta("(handles)") == "[]"
    assert meta(f'({other} "1")') == "1"


def test_a_death_makes_handles_stale(meta):
    meta('(def h (py "Point(1)"))')
    assert "session/exited" in meta('(py "__import__(\'os\')._exit(3)")')
    assert "session/stale-handle" in meta("h.x")


def test_where_nothing_is_held(meta):
    printed = meta('(sh.echo (py "Point(1)"))')
    assert "value/uncopyable" in printed and "Point(1)" in printed
    assert "runtime/unsupported" in meta('(sh:ref "x")')


def test_what_a_handle_prints_moves_no_cursor(meta):
    text = "chr(27) + '[31m' + chr(10) + chr(7) + chr(0x202e)"
    printed = meta(f"""(py "type('E', (), {{'__repr__': lambda self: {text}}})()")""")
    assert printed.startswith("<py E\n\\u001b[31m\n")
    assert not set(printed) & {"\x1b", "\x07", "\u202e"}


def test_lineage(meta):
    meta('(def p (py "Point(3)"))')
    printed = meta("(why (p.moved 4))")
    assert "Point.moved(…)" in printed and "py  Point(3)" in printed
