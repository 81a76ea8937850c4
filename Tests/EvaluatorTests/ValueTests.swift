import Testing

/// Equality, truth, value semantics, members.
struct ValueTests {
    @Test(arguments: [
        ("(= 1 1.0)", "true"), ("(= true 1)", "false"), ("(= 0 -0.0)", "true"), ("(= NaN NaN)", "false"),
        ("(= 9007199254740993 9007199254740992.0)", "false"),
        ("(= 9223372036854775808 9223372036854775808.0)", "true"), ("(< 9007199254740992.0 9007199254740993)", "true"),
        ("(= [1 [2 {a: 3}]] [1.0 [2 {a: 3}]])", "true"), ("(= {a: 1 b: 2} {b: 2 a: 1})", "true"),
        ("(= 'a \"a\")", "true"), ("(= :a \"a\")", "true"),
        ("(= :a 'a)", "true"), ("(= [1 2] '(1 2))", "true"), ("(= null ())", "true"), ("(= nil null)", "true"),
        ("(= 1 \"1\")", "false"),
        ("(= 1 1 1.0)", "true"), ("(= 1 1 2)", "false"), ("(= \"\u{E9}\" \"e\u{301}\")", "false"),
        ("(identical? 1 1.0)", "false"), ("(identical? :a \"a\")", "false"),
        ("(identical? [1] '(1))", "false"), ("(identical? 0.0 -0.0)", "false"), ("(identical? NaN NaN)", "true"),
        ("(identical? [1 {a: :b}] [1 {a: :b}])", "true"),
        ("(if (= + +) 1 2)", "1"), ("(< 1 2 3)", "true"), ("(< 1 3 2)", "false"), ("(< \"a\" \"b\")", "true"),
        ("(< \"a\" 1)", "eval/type"), ("(< 1 NaN)", "false"),
    ])
    func equality(example: Example) throws { try check(example) }

    @Test(arguments: ["false", "null", "\"\"", "NaN", "0", "0.0", "-0.0", "()"])
    func isFalse(text: String) throws {
        try check(("(if \(text) 1 2)", "2"))
        try check(("(let (x \(text)) (if x 1 2))", "2"))
        try check(("(not \(text))", "true"))
        try check(("(let (x \(text)) (while x (set x 5)) (or x 7))", "7"))
    }

    @Test(arguments: [
        "true", "1", "-1", "0.1", "\" \"", "\"0\"", "[]", "{}", ":a", "'a", "'(1)", "Infinity", "99999999999999999999",
        "(fn () 1)",
    ])
    func isTrue(text: String) throws {
        try check(("(if \(text) 1 2)", "1"))
        try check(("(if (and \(text) 1) 1 2)", "1"))
    }

    @Test(arguments: [
        ("(def a [1 2]) (def b a) (set (get b 0) 9) [a b]", "[[1 2] [9 2]]"),
        ("(def a {x: [1]}) (def b a) (set (get b :x 0) 9) [a b]", "[{x: [1]} {x: [9]}]"),
        ("(def a {x: 1}) (def f (o) (set o.x 2) o) [(f a) a]", "[{x: 2} {x: 1}]"),
        ("(def a [[1] [2]]) (def b (get a 0)) (set (get b 0) 9) a", "[[1] [2]]"),
        ("(def a [1]) (def f (fn () a)) (set (get a 0) 2) (f)", "[2]"),
        ("(let (a [1] f (fn () a)) (set (get a 0) 2) [(f) a])", "[[2] [2]]"),
        ("(let (a [1] b [a a]) (set (get b 0 0) 5) [a b])", "[[1] [[5] [1]]]"),
        ("(def f () [1 2]) (let (a (f)) (set (get a 0) 9) [(f) a])", "[[1 2] [9 2]]"),
        ("(let (a {} b a) (set a.x.y 1) [a b])", "[{x: {y: 1}} {}]"), ("(let (a [1]) (set (get a 1) 2) a)", "[1 2]"),
        ("(let (a [1]) (set (get a 3) 2) a)", "eval/index"),
        ("(let (a [1 2]) (set (get a -1) 9) a)", "[1 9]"), ("(let (a 5) (set a.x 1) a)", "eval/type"),
        ("(let (v []) (each i [1 2 3] (set (get v i) i)) v)", "eval/index"),
        ("(def d {a: [1 2]}) (each x d.a (set (get d :a 0) 100)) d", "{a: [100 2]}"),
    ])
    func values(example: Example) throws { try check(example) }

    @Test(arguments: [
        ("(get {a: {b: [1 2]}} :a \"b\" 1)", "2"), ("(get {a: 1} 'a)", "1"), ("(let (o {\"a-b\": 1}) o.a-b)", "1"),
        ("(let (o {a: {b: 2}}) o.a.b)", "2"),
        ("(let (o {a: 1}) o.b)", "null"), ("(let (o {a: 1}) o.b.c.d)", "null"), ("(get [1 2] -1)", "2"),
        ("(get [1 2] 5)", "null"), ("(get \"añb\" 1)", "\"ñ\""),
        ("(let (a.b 5) a.b)", "5"), ("(def a {b: 1}) (def a.b 7) a.b", "7"),
        ("(def a {b: 1}) (let (a {b: 2}) a.b)", "2"), ("(def a.b 7) (let (a {b: 2}) a.b)", "2"),
        ("(let (a {f: (fn (x) (+ x 1))}) (a.f 1))", "2"), ("(get 5 :a)", "eval/type"), ("(get {a: 1} 0)", "eval/type"),
        ("(:k 1)", "{k: 1}"), ("(:k x :b (f 2))", "{k: x b: (f 2)}"),
        ("(:k)", "eval/record"), ("(:k 1 :b)", "eval/record"), ("(:k 1 :k 2)", "eval/record"),
        ("(\"hi \" 1 \"!\")", "\"hi 1!\""), ("(object :a 1 \"b\" 2)", "{a: 1 b: 2}"),
        ("(let (k \"x\") (object k 1))", "{x: 1}"), ("(object :a)", "eval/arity"),
        ("[(= 1 2) (:a 1)]", "[false {a: 1}]"),
    ])
    func members(example: Example) throws { try check(example) }
}
