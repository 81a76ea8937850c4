import Language
import Testing

@testable import Evaluator

/// Depth and size: an error or an answer, never a trap.
struct LimitTests {
    @Test(arguments: [
        ("(loop (i 0 f (fn (x) x)) (if (< i 300000) (recur (+ i 1) (let (g f) (fn (x) (g x)))) :done))", ":done"),
        (
            "(def f (fn (x) x)) (loop (i 0) (when (< i 300000) (set f (let (g [{a: f}]) (fn (x) g))) (recur (+ i 1)))) (set f null) :done",
            ":done"
        ),
        (
            "(loop (i 0 e null) (if (< i 2000) (recur (+ i 1) (try (throw {message: \"x\" prev: e}) (catch x x))) :done))",
            ":done"
        ),
    ])
    func longChainsAreFreed(example: Example) throws { try check(example) }

    @Test(arguments: [
        "(loop (i 0 v null) (recur (+ i 1) [v]))", "(loop (i 0 v null) (recur (+ i 1) {a: v}))",
        "(def w (...xs) xs) (loop (v null) (recur (w v)))", "(loop (v null) (recur (list v)))",
        "(loop (v null) (recur `(a ,v)))", "(let (v []) (while true (set v [v])))",
        "(let (v []) (while true (set (get v 0) v)))", "(loop (v null) (recur (object :a v)))",
        "(loop (v null) (recur (map (fn (x) x) [v])))", "(loop (v null) (recur (vector v)))",
    ])
    func dataThatNestsWithoutEndIsAnError(program: String) throws { try check((program, "eval/depth")) }

    @Test func aFormWithMoreNamesThanInstructionsNumberIsAnErrorOrRuns() throws {
        let calls = (0..<66_000).map { "(list :k \($0))" }.joined(separator: " ")
        #expect(try Evaluation().shown("(do \(calls))") == "eval/too-large")
    }

    @Test(arguments: ["-9223372036854775808", "9223372036854775807", "-9223372036854775809"])
    func theSmallestIntegerIsNoTrap(text: String) throws {
        for program in [
            "(- \(text))", "(+ \(text) 1)", "(- \(text) 1)", "(// \(text) -1)", "(mod \(text) -1)", "(* \(text) -1)",
            "(get [1] \(text))", "(get \"a\" \(text))", "(< 1 \(text))",
        ] {
            _ = try Evaluation().shown("(let (x 1) \(program))")
            _ = try Evaluation().shown(
                "(let (x \(text)) (list (- x) (+ x 1) (- x 1) (// x -1) (< x \(text)) (set (get [1] x) 1)))")
        }
        _ = try Evaluation().shown("(let (v [1]) (set (get v \(text)) 1))")
        _ = try Evaluation().shown("(let (x 1) (set x (+ x \(text))) (set x (- x \(text))) x)")
    }
}
