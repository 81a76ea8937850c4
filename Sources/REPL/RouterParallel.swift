import Evaluator
import Language

/// `(parallel a b …)`: forms that run at once, and end together.
extension Router {
    func registerParallel() {
        machine.register(
            Control(
                "(parallel …forms)", arity: 0...Int.max, forms: .each,
                documentation: Documentation(
                    "Runs the forms at once: a vector of their values. The first error stops the others and is raised. "
                        + "As a value, parallel takes functions without parameters: (apply parallel functions).",
                    examples: ["(parallel (+ 1 2) (+ 3 4)) => [3 7]"])
            ) { [unowned self] arguments, fiber throws(Failure) in
                var functions: [Value] = []
                for index in 0..<arguments.count { functions.append(try arguments.callable(index)) }
                return parallel(functions, in: fiber)
            })
    }

    /// How long the others may take to end when one has failed.
    private static let grace = Duration.seconds(2)

    private func parallel(_ functions: [Value], in fiber: Fiber) -> Step {
        guard !functions.isEmpty else { return .value(.vector(Items([]))) }
        let owner = branch(of: fiber)
        let branches = functions.map { start($0, in: fiber) }
        var left = branches.count
        var first: Branch?
        var finished = 0
        let wait = Wait(owner, for: branches) { [unowned self] ended in
            guard let ended else {
                // Who has stopped all of this sees to it that it ends.
                return owner.isStopping ? nil : first.map { failure(of: $0, among: branches, finished) }
            }
            left -= 1
            if first == nil, case .failed = ended.state {
                first = ended
                finished = branches.count - left - 1
                for other in branches where other.isPending { stop(other) }
                limit(owner, Self.grace)
            }
            guard left == 0 else { return nil }
            if let first { return failure(of: first, among: branches, finished) }
            return .value(
                .vector(Items(branches.compactMap { if case .finished(let value) = $0.state { value } else { nil } })))
        }
        begin(wait)
        return .suspend
    }

    /// From now on the branch's wait is looked at after that time too.
    func limit(_ branch: Branch, _ time: Duration) {
        guard case .wait(let wait) = branch.work else { return }
        if wait.due == nil { timed.append(wait) }
        wait.due = .now + time
    }

    /// The first error, with what became of the others.
    private func failure(of first: Branch, among branches: [Branch], _ finished: Int) -> Agenda.Step {
        guard case .failed(let error) = first.state, branches.count > 1, error.code != Machine.interrupted.code else {
            return first.step ?? .value(.null)
        }
        let running = branches.count { $0.isPending }
        let stopped = branches.count - 1 - finished - running
        let number = (branches.firstIndex { $0 === first } ?? 0) + 1
        var others: [String] = []
        if finished > 0 { others.append("\(finished) had finished") }
        if stopped > 0 { others.append("\(stopped) stopped") }
        if running > 0 { others.append("\(running) did not listen and goes on") }
        let text = "form \(number) of \(branches.count) failed; of the others " + others.joined(separator: ", ")
        error.append(help: text)
        return .failure(error)
    }
}
