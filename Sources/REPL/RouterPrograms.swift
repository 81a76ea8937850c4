import Evaluator
import Language
import Sessions

/// Programs, and every fiber that can go on beside them.
extension Router {
    /// Evaluates a top-level form to its end.
    public func evaluate(_ form: Form, in source: Source) -> Result<Value, Raised> {
        interruption = Interruption()
        defer { sendReleases() }
        do throws(Raised) {
            let fiber = try machine.fiber(form, source: source)
            switch drive(fiber, from: machine.run(fiber)) {
            case .finished(let value): return .success(value)
            case .failed(let diagnostic): return .failure(machine.raise(diagnostic))
            case .suspended, .yielded:
                return .failure(
                    machine.raise(Diagnostic(code: "eval/unknown", message: "the program stopped unfinished")))
            }
        } catch {
            return .failure(error)
        }
    }

    /// Calls a function to its end.
    func call(_ function: Value, _ arguments: [Value]) -> Result<Value, Raised> {
        interruption = Interruption()
        let fiber = machine.fiber(name: "<call>", calling: function, arguments)
        switch drive(fiber, from: machine.run(fiber)) {
        case .finished(let value): return .success(value)
        case .failed(let diagnostic): return .failure(machine.raise(diagnostic))
        case .suspended, .yielded: return .failure(Raised())
        }
    }

    /// Runs a fiber to its end, and in turn with it every other that can go on.
    func drive(_ fiber: Fiber, from first: Machine.Outcome) -> Machine.Outcome {
        var end: Machine.Outcome?
        let program = branch(of: fiber)
        driven.append(program)
        // Those that wanted to read the terminal while a line was being typed.
        for session in stopped where sessions.isBusy(session) {
            stopped.remove(session)
            sessions.resume(session)
        }
        agenda.attend(fiber) { outcome in
            program.end(.finished(.null))
            program.leave()
            end = outcome
        }
        settle(fiber, first)
        while end == nil { turn() }
        driven.removeLast()
        return end ?? .suspended
    }

    /// Lets fibers go on, or waits until one can.
    func turn() {
        if agenda.isIdle { for event in sessions.wait(until: nextDeadline) { take(event) } }
        if handles.isFull { sendReleases(atLeast: HandleTable.batch) }
        advance()
        if !agenda.isIdle { poll() }
        escalate()
        enforceDeadlines()
    }

    /// When there is something to do that no event tells of.
    var nextWork: ContinuousClock.Instant? { agenda.isIdle ? nextDeadline : .now }

    /// Lets futures go on while nothing is driven to its end.
    func goOn() {
        advance()
        enforceDeadlines()
    }

    /// Fibers that go on between two looks at the sessions.
    private static let stepsBetweenPolls = 64

    /// Lets some of the fibers go on that can.
    func advance() {
        for _ in 0..<Self.stepsBetweenPolls {
            guard let (next, step) = agenda.take() else { return }
            interruptUnheard(next, step)
            settle(next, run(next, step))
            if step.isSlice { return }
        }
    }

    private func run(_ fiber: Fiber, _ step: Agenda.Step) -> Machine.Outcome {
        switch step {
        case .run: machine.run(fiber)
        case .value(let value): machine.resume(fiber, .success(value))
        case .failure(let diagnostic): machine.resume(fiber, .failure(machine.raise(diagnostic)))
        }
    }

    /// Sees to it that the fiber goes on, or tells its end.
    private func settle(_ fiber: Fiber, _ outcome: Machine.Outcome) {
        switch outcome {
        case .finished, .failed: agenda.takeEnd(of: fiber)?(outcome)
        case .suspended: break
        case .yielded:
            poll()
            if isEnding || isStopping(fiber) { interrupt(fiber) }
            agenda.add(fiber, .run)
        }
    }

    func isStopping(_ fiber: Fiber) -> Bool {
        fiber.owner.map { unsafeDowncast($0, to: Branch.self).isStopping } ?? false
    }

    /// Lets a further fiber run; `end` is called when it ends.
    func start(_ fiber: Fiber, end: @escaping (Machine.Outcome) -> Void) {
        agenda.attend(fiber, end)
        agenda.add(fiber, .run)
    }

    /// Takes what has happened, without waiting.
    func poll() {
        for event in sessions.wait(until: .now) { take(event) }
    }
}
