import Testing

/// Macros, backquotes and the `meta` stage.
struct StageTests {
    @Test(arguments: [
        ("(macro m (x) `(+ ,x 1)) (m 2)", "3"),
        ("(macro unless2 (c ...b) `(if ,c null (do ,@b))) (unless2 false 1 2)", "2"),
        ("(macro m (x) `[,x ,@[1 2] ...@'(3)]) (m 0)", "[0 1 2 3]"),
        ("(macro m (x) `{a: ,x b: [,x]}) (m 5)", "{a: 5 b: [5]}"),
        ("(macro a (x) `(b ,x)) (macro b (x) `(* ,x 2)) (a 4)", "8"),
        ("(macro m (x) (let (g (gensym)) `(let (,g ,x) (+ ,g ,g)))) (let (g__1 1) (m 4))", "8"),
        ("`(1 ,(+ 1 1) ,@[3 4])", "(1 2 3 4)"), ("`(a `(b ,(c ,(+ 1 2))))", "(a `(b ,(c 3)))"),
        ("``(,,(+ 1 2))", "`(,3)"),
        ("(macroexpand '(+ 1 2))", "(+ 1 2)"),
        ("(macro m (x) `(n ,x)) (macro n (x) `(+ ,x 1)) (macroexpand '(m 2))", "(+ 2 1)"), ("'(a . b)", "(a . b)"),
        ("(quote x)", "x"),
        ("(macro m () ''x) (m)", "x"), ("(macro m (x) `(quote ,x)) (m (a b))", "(a b)"),
        ("(def f () (macro loc (x) `(+ 1 ,x)) (loc 4)) (f)", "5"), ("(macro m (x) x) m", "eval/macro"),
        ("(macro m (x) (throw \"no\")) (m 1)", "user/error"),
        ("(macro m (a) a) (m)", "eval/arity"),
        ("(let (m (fn (x) :local)) (macro m2 (x) :macro) (m 1))", ":local"),
        ("(macro m (x) :macro) (let (m (fn (x) :local)) (m 1))", ":local"),
        ("(macro d (n v) `(def ,n ,v)) (def f () (d q 5) q) (f)", "5"),
    ])
    func macros(example: Example) throws { try check(example) }

    @Test(arguments: [
        ("(meta (+ 1 2))", "3"), ("(meta (def n 4)) n", "4"), ("(meta (def f (x) (* x 2))) (f 3)", "6"),
        ("(meta (def f (x) `(+ 1 ,x))) (f 3)", "4"), ("(meta (def f (x) `(list ,x))) (f '(+ 1 2))", "((+ 1 2))"),
        ("(meta (def f (x) `(list ,x))) (f 'sym)", "(sym)"),
        ("(meta (def f (x) `(list ,x))) (f [(quote a) '(b)])", "([a (b)])"),
        ("(meta (def f (x) `(list ,x))) (f {a: '(b c)})", "({a: (b c)})"),
        ("(meta (def f (x) `(+ 1 ,x)) (f 3))", "(+ 1 3)"),
        ("(meta (def f (x) (if x `(+ 1 1) `(+ 2 2)))) [(f true) (f false)]", "[2 4]"),
        ("(meta (def f (x) (list '+ 1 x))) (f 3)", "(+ 1 3)"),
        ("(meta (def f (x) `(do ,x))) (eval (f '(+ 1 2)))", "3"),
        (
            "(meta (def f (x) `(do ,x))) (let (r (f '(a b))) [(list? r) (= r '(a b)) (symbol? (get r 0))])",
            "[true true true]"
        ),
        ("(def y 1) (meta (def f () `y)) (let (y 2) (f))", "1"),
        ("(meta (def h (x) `(+ 1 ,x))) (macro m (x) (h x)) (m (* 2 3))", "7"),
        ("(meta (def c (x) `[,x])) (meta (def d (xs) (map c xs))) (d [1 2])", "[[1] [2]]"),
        ("(meta (def f (x) (let (y x) `(+ ,y 1)))) (f 1)", "2"), ("(def f (x) `(+ 1 ,x)) (f 3)", "(+ 1 3)"),
        ("(meta (def f (x) `(json.stringify ,x))) (f {a: ['s '(l 1)]})", #""{\"a\":[\"s\",[\"l\",1]]}""#),
        (
            "(meta (def f (l p) `(g ,l (json.stringify ,p)))) (def g (l x) [l x]) (f \"js\" (object :msg \"hello\"))",
            #"["js" "{\"msg\":\"hello\"}"]"#
        ), ("(meta (def f () `(throw \"in code\"))) (f)", "user/error"),
    ])
    func stages(example: Example) throws { try check(example) }
}
