import Testing

/// The special forms.
struct FormTests {
    @Test(arguments: [
        ("(def f (x y) (+ x y)) (f 1 2)", "3"), ("(def f [x y] (+ x y)) (f 1 2)", "3"),
        ("(def (f x ...r) [x r]) (f 1 2 3)", "[1 [2 3]]"),
        ("(def (f ...r) r) (f)", "[]"), ("(var a 1 b 2) (+ a b)", "3"), ("(def a 1 b 2) (+ a b)", "3"),
        ("((fn (x) (* x 2)) 4)", "8"), ("((lambda (x) x) 4)", "4"),
        ("((=> (x) (+ x 1)) 4)", "5"), ("(#(* # 2) 4)", "8"), ("(#(- #1 #0) 1 5)", "4"),
        ("((fn self (n) (if (< n 2) 1 (* n (self (- n 1))))) 5)", "120"),
        ("((fn ([a b] {k c}) [a b c]) [1 2] {k: 3})", "[1 2 3]"),
        ("(def f () (def a 1) (def b () (+ a 1)) (b)) (f)", "2"),
        (
            "(def f () (def e (n) (if (= n 0) true (o (- n 1)))) (def o (n) (if (= n 0) false (e (- n 1)))) (e 10)) (f)",
            "true"
        ),
        ("(def f (c) (when c (def y 5)) y) [(f true) (f false)]", "[5 null]"),
        ("(def f (x) (def x (+ x 1)) x) (f 1)", "2"),
        ("(def f () (if true (def y 1) (def y 2)) y) (f)", "1"), ("(def f () (+ 1 (do (def z 4) z))) (f)", "5"),
        ("(def x 1) (def f () (set x 2)) (f) x", "2"),
        ("(set nope 1)", "eval/unbound"), ("(def f (x)) ", "eval/unbound"), ("(def if 1)", "eval/form"),
        ("(f)", "eval/unbound"), ("(1 2)", "eval/not-callable"),
        ("(def f (a) a) (f)", "eval/arity"), ("(def f (a) a) (f 1 2)", "eval/arity"),
        ("(def f (a ...b) a) (f)", "eval/arity"), ("((fn (...a b) a))", "eval/form"),
    ])
    func definitions(example: Example) throws { try check(example) }

    @Test(arguments: [
        ("(let (a 1 b (+ a 1)) (* a b))", "2"), ("(let [a 1] a)", "1"), ("(let ((a 1) (b 2)) (+ a b))", "3"),
        ("(let ([a [b]] [1 [2]] {k {j c}} {k: {j: 3}}) [a b c])", "[1 2 3]"),
        ("(let ([a ...r] [1 2 3]) r)", "[2 3]"), ("(let ([a b] [1]) b)", "null"), ("(var [a b] [1 2]) (+ a b)", "3"),
        ("(def f () (var [a b] [1 2]) (+ a b)) (f)", "3"),
        ("(let (a 1 b 2) (set [a b] [b a]) [a b])", "[2 1]"), ("(let (a 1) (let (a 2) a))", "2"), ("(let ())", "null"),
        ("(let (a) a)", "eval/form"), ("(let 5 a)", "eval/form"),
        ("(if false 1)", "null"), ("(if false 1 false 2 3)", "3"), ("(if false 1 true 2)", "2"), ("(when 1 2 3)", "3"),
        ("(unless 0 2 3)", "3"), ("(unless 1 2)", "null"),
        ("(cond false 1 :else 2)", "2"), ("(cond false 1 else 2)", "2"), ("(cond false 1)", "null"),
        ("(cond ((= 1 1) \"a\") (else \"b\"))", "\"a\""), ("(cond false 1 2)", "eval/form"),
        ("(case 2 1 :a 2 :b :c)", ":b"), ("(case 9 1 :a :c)", ":c"), ("(case 3 [1 2] :a [3 4] :b)", ":b"),
        ("(case \"x\" x 1 2)", "1"), ("(case 9 1 :a)", "null"),
        ("(case 9 1 :a else :z)", ":z"), ("(and)", "true"), ("(or)", "false"), ("(and 1 0 2)", "0"),
        ("(or 0 null 3)", "3"), ("(do)", "null"), ("(do 1 2)", "2"),
        ("(-> 5 (- 1) (- 2))", "2"), ("(->> 5 (- 10))", "5"), ("(|> [1 2] count)", "2"),
        ("(-> 5 (fn (x) (* x 2)))", "10"), ("(-> 3 #(* # #))", "9"), ("((if true - +) 5 1)", "4"),
    ])
    func bindingsAndBranches(example: Example) throws { try check(example) }

    @Test(arguments: [
        ("(let (n 0) (each x [1 2 3] (set n (+ n x))) n)", "6"),
        ("(let (n 0) (each x {a: 1 b: 2} (set n (+ n (get x 1)))) n)", "3"),
        ("(let (v []) (each (x i) [5 6] (set (get v i) (* x i))) v)", "[0 6]"),
        ("(let (v []) (each [a b] [[1 2]] (set (get v 0) (+ a b))) v)", "[3]"),
        ("(let (f [] n 0) (each x [1 2 3] (set (get f n) (fn () x)) (set n (+ n 1))) (map #(#) f))", "[1 2 3]"),
        ("(let (f []) (loop (i 0) (when (< i 3) (set (get f i) (fn () i)) (recur (+ i 1)))) (map #(#) f))", "[0 1 2]"),
        (
            "(let (f []) (loop (i 0) (when (< i 3) (set (get f i) (fn () (set i (+ i 10)) i)) (recur (+ i 1)))) [((get f 0)) ((get f 0)) ((get f 1))])",
            "[10 20 11]"
        ),
        (
            "(let (f [] i 0) (while (< i 3) (let (j i) (set (get f i) (fn () j))) (set i (+ i 1))) (map #(#) f))",
            "[0 1 2]"
        ),
        ("(let (f [] i 0) (while (< i 2) (def k i) (set (get f i) (fn () k)) (set i (+ i 1))) i)", "2"),
        ("(def c () (let (n 0) (fn () (set n (+ n 1)) n))) (let (a (c) b (c)) [(a) (a) (b)])", "[1 2 1]"),
        ("(let (n 0 i (fn () (set n (+ n 1))) g (fn () n)) (i) (i) (g))", "2"),
        ("(loop (i 0 a 1) (if (< i 5) (recur (+ i 1) (* a 2)) a))", "32"),
        ("(loop (a 1 b 2) (if (< a 10) (recur b (+ a b)) [a b]))", "[13 21]"),
        ("(loop (i 0) (let (j (+ i 1)) (if (< j 5) (recur j) j)))", "5"),
        ("(loop (i 0) (cond (< i 5) (recur (+ i 1)) :else i))", "5"),
        ("(loop (i 0) (case i 5 :done (recur (+ i 1))))", ":done"),
        ("(loop (i 0) (or (> i 5) (recur (+ i 1))))", "true"),
        ("(loop (i 0) (+ 1 (recur 1)))", "eval/recur"), ("(loop (i 0) (recur 1) 2)", "eval/recur"),
        ("(loop (i 0) (try (recur 1) (finally 1)))", "eval/recur"), ("(recur 1)", "eval/recur"),
        ("(loop (i 0) (fn () (recur 1)))", "eval/recur"), ("(loop (i 0) (recur))", "eval/arity"),
        ("(loop (i 0) (if (< i 3) (do 1 (recur (+ i 1))) i))", "3"),
    ])
    func loops(example: Example) throws { try check(example) }

    @Test(arguments: [
        "(def e (n) (if (= n 0) true (o (- n 1)))) (def o (n) (if (= n 0) false (e (- n 1)))) (e 1000000)",
        "(def e (n) (or (= n 0) (o (- n 1)))) (def o (n) (and (not (= n 0)) (e (- n 1)))) (e 1000000)",
        "(def f (n) (cond (= n 0) true :else (do 1 (let (m (- n 1)) (when true (f m)))))) (f 1000000)",
        "(def f (n ...r) (if (= n 0) true (apply f [(- n 1) 2]))) (f 1000000)",
        "(def f (n) (case n 0 true (f (- n 1)))) (f 1000000)",
        "(loop (i 0) (if (< i 1000000) (recur (+ i 1)) true))",
    ])
    func tailCallsDoNotGrowTheStack(program: String) throws { try check((program, "true")) }

    @Test(arguments: [
        ("(let (x 1) (list (set x 2) x (set x 3) x))", "(2 2 3 3)"), ("(let (x 1) (+ x (set x 5)))", "6"),
        ("(let (v [] p (fn (x) (set (get v (count v)) x) x)) ((do (p 0) +) (p 1) (p 2)) v)", "[0 1 2]"),
        ("(let (v [] p (fn (x) (set (get v (count v)) x) x)) {a: (p 1) b: [(p 2) (p 3)]} v)", "[1 2 3]"),
    ])
    func argumentsEvaluateFromLeftToRight(example: Example) throws { try check(example) }
}
