import Language
import Testing

@testable import Evaluator

/// A machine without runtimes, fed with text.
struct Evaluation {
    let machine = Machine()

    /// The value of the last form.
    func run(_ text: String) throws -> Value {
        let source = Source(name: "<test>", text: text)
        var value = Value.null
        for form in try Reader.read(source) {
            let fiber: Fiber
            do throws(Raised) {
                fiber = try machine.fiber(form, source: source)
            } catch {
                throw Failed(diagnostic: machine.take(error))
            }
            var outcome = machine.run(fiber)
            while case .yielded = outcome { outcome = machine.run(fiber) }
            switch outcome {
            case .finished(let result): value = result
            case .failed(let diagnostic): throw Failed(diagnostic: diagnostic)
            case .suspended, .yielded: Issue.record("waits: \(text)")
            }
        }
        return value
    }

    /// The last value as it prints, or the code of the error.
    func shown(_ text: String) throws -> String {
        do {
            return Printer.text(try run(text))
        } catch let failed as Failed {
            return failed.diagnostic.code
        } catch let error as ReadError {
            return error.failure.code
        }
    }

    func diagnostic(_ text: String) throws -> Diagnostic? {
        do {
            Issue.record("\(text) is \(Printer.text(try run(text)))")
            return nil
        } catch let failed as Failed {
            return failed.diagnostic
        }
    }

    struct Failed: Error {
        let diagnostic: Diagnostic
    }
}

/// A program and what its last form shows: the value as it prints, or the code of its error.
typealias Example = (program: String, shown: String)

func check(_ example: Example, sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(
        try Evaluation().shown(example.program) == example.shown, "\(example.program)", sourceLocation: sourceLocation)
}
