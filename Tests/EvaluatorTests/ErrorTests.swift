import Language
import Testing

@testable import Evaluator

/// Errors as values, their order, and what they say.
struct ErrorTests {
    @Test(arguments: [
        ("(try (throw \"x\") (catch e e.message))", "\"x\""),
        (
            "(try (throw {code: \"my/code\" message: \"m\" n: 3}) (catch e [e.code e.message e.data.n]))",
            "[\"my/code\" \"m\" 3]"
        ),
        ("(try (throw 5) (catch e e.data))", "5"), ("(try 1 (catch e 2))", "1"),
        ("(try (/ 1 0) (catch e e.code))", "\"eval/divide\""), ("(try (nope) (catch e e.code))", "\"eval/unbound\""),
        (
            "(let (v []) (try (set (get v 0) 1) (throw 2) (catch e (set (get v 1) 2)) (finally (set (get v 2) 3))) v)",
            "[1 2 3]"
        ),
        ("(let (v 0) (try (try (throw 1) (finally (set v 5))) (catch e (+ v e.data))))", "6"),
        ("(let (v 0) [(try 7 (finally (set v 1))) v])", "[7 1]"),
        ("(try (try (throw 1) (catch e (throw 2))) (catch e e.data))", "2"),
        ("(try (try (throw 1) (catch e (throw e))) (catch e e.data))", "1"),
        ("(try (try (throw 1) (finally (throw 2))) (catch e e.data))", "2"),
        (
            "(let (v []) (try (try (throw 1) (catch e (throw 2)) (finally (set (get v 0) :f))) (catch e (set (get v 1) e.data))) v)",
            "[:f 2]"
        ),
        ("(def f () (try (throw 1) (catch e :caught))) [(f) (f)]", "[:caught :caught]"),
        ("(def f (n) (+ 1 (f n))) (try (f 1) (catch e e.code))", "\"eval/depth\""),
        ("(let (fs []) (try (throw 1) (catch e (set (get fs 0) (fn () e.data)))) ((get fs 0)))", "1"),
        ("(error? (try (throw 1) (catch e e)))", "true"), ("(throw \"x\")", "user/error"),
        ("(let (x 1) (try (set x 2) (throw 1) (catch e x)))", "2"), ("(try)", "null"), ("(catch e 1)", "eval/form"),
        ("(try 1 (catch))", "eval/form"),
        ("(map (fn (x) (try (/ 1 x) (catch e null))) [1 0 2])", "[1.0 null 0.5]"),
        ("(try (apply + [1 \"a\"]) (catch e e.code))", "\"eval/type\""),
    ])
    func values(example: Example) throws { try check(example) }

    @Test func anInterruptRunsFinallyAndNotCatch() throws {
        let evaluation = Evaluation()
        let text =
            "(try (try (while true 1) (catch e (set seen :caught)) (finally (set cleaned true))) (catch e (set seen :outer)))"
        _ = try evaluation.run("(def seen null) (def cleaned false)")
        let source = Source(name: "<test>", text: text)
        let form = try #require(try Reader.read(source).first)
        let fiber = try evaluation.machine.fiber(form, source: source)
        guard case .yielded = evaluation.machine.run(fiber) else {
            Issue.record("the loop ended")
            return
        }
        fiber.isInterrupted = true
        guard case .failed(let diagnostic) = evaluation.machine.run(fiber) else {
            Issue.record("the interrupt was lost")
            return
        }
        #expect(diagnostic.code == "eval/interrupted")
        #expect(try evaluation.shown("[seen cleaned]") == "[null true]")
    }

    @Test(arguments: [
        ("(def f (a b) a) (f 1)", "eval/arity", "f takes 2 arguments, got 1", "(f a b)"),
        ("(def greet 1) (gret)", "eval/unbound", "gret is not defined", "greet"),
        ("(def f ()) (f)", "eval/not-callable", "null is not a function", "body is missing"),
        ("(def f (x)) (f 1)", "eval/unbound", "x is not defined", "body is missing"),
        ("x = 5", "eval/unbound", "x is not defined", "(def x 5)"), ("ls", "eval/unbound", "ls", "(sh"),
        ("import os", "eval/unbound", "import", "py.os"),
        ("console.log(1)", "eval/unbound", "console", "print"), ("(f key=f)", "eval/unbound", "f is", ""),
        ("(list key=f)", "eval/unbound", "key=f", ":key f"),
        ("if(x > 1)", "eval/form", "operator", "(> x 1)"), ("def f(x) 1", "eval/form", "def", "(def name"),
        ("(:k x :odd)", "eval/record", "value for each key", "(get obj :k)"),
        ("(+ 1 \"a\")", "eval/type", "\"a\"", ""), ("((fn (x) x))", "eval/arity", "takes 1 argument, got 0", "(fn x)"),
        ("(1 2)", "eval/not-callable", "1 is not", "vector"),
    ])
    func says(program: String, code: String, message: String, help: String) throws {
        guard let diagnostic = try Evaluation().diagnostic(program) else { return }
        #expect(diagnostic.code == code)
        #expect(diagnostic.message.contains(message), "\(diagnostic.message)")
        #expect(help.isEmpty || diagnostic.help?.contains(help) == true, "\(diagnostic.help ?? "no help")")
        #expect(diagnostic.report.contains("^"))
    }

    @Test func aMessageStaysShort() throws {
        let evaluation = Evaluation()
        _ = try evaluation.run("(def big (map #(* # #) \(Printer.text(.vector(Items((0..<5000).map(Value.int)))))))")
        let name = String(repeating: "n", count: 100_000)
        for text in [
            "(big 1)", "(+ 1 big)", "(throw {message: (str big)})", name, "(\(name) 1)", "(get 5 \"\(name)\")",
            "(get {} big)", "(apply 1 big)", "(:\(name) 1 :b)",
        ] {
            guard let diagnostic = try evaluation.diagnostic(text) else { continue }
            #expect(
                diagnostic.message.utf8.count < 30_000 || text.contains("throw"),
                "\(text.prefix(40)): \(diagnostic.message.utf8.count)")
        }
    }

    @Test func theFramesAreTheUsersOwn() throws {
        let diagnostic = try Evaluation().diagnostic("(def f (x)\n  (+ 1 (/ x 0)))\n(def g (x)\n  (+ 1 (f x)))\n(g 1)")
        #expect(diagnostic?.frames.map(\.function) == ["f"])
        #expect(diagnostic?.frames.map(\.line) == [4])
    }
}
