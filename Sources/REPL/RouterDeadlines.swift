import Evaluator
import Language
import Sessions
import Wire

/// What is due at a time: `with-timeout`, requests that take longer than their session's `:timeout`, second tellings.
extension Router {
    /// How long a session may take to notice that its time is up, before it is restarted.
    private static let grace = Duration.seconds(2)

    var nextDeadline: ContinuousClock.Instant? {
        if watched.isEmpty, timed.isEmpty { return console.due }
        let requests = watched.compactMap { waiting[$0] }.flatMap { [$0.deadline, $0.nudge].compactMap { $0 } }
        return (requests + timed.compactMap(\.due) + [console.due].compactMap { $0 }).min()
    }

    /// Does what is due.
    func enforceDeadlines() {
        if let due = console.due, due <= .now { console.settle() }
        guard !watched.isEmpty || !timed.isEmpty else { return }
        let now = ContinuousClock.now
        for wait in timed {
            guard let due = wait.due, due <= now else { continue }
            wait.due = nil
            timed.removeAll { $0 === wait }
            look(wait, nil)
        }
        for id in watched {
            guard let request = waiting[id], request.deadline != nil || request.nudge != nil else {
                watched.remove(id)
                continue
            }
            if let due = request.nudge, due <= now { interrupt(id) }
            if let due = request.deadline, due <= now { enforce(id, request) }
        }
    }

    /// Interrupts what is late; restarts the session of what is later still.
    private func enforce(_ id: RequestID, _ request: Waiting) {
        if request.isLate {
            waiting[id]?.deadline = nil
            try? sessions.restart(request.session, force: true)
        } else {
            waiting[id]?.isLate = true
            waiting[id]?.deadline = .now + Self.grace
            interrupt(id)
        }
    }

    func timeout(of request: Waiting, _ outcome: String) -> Diagnostic {
        let limit = timeouts[request.session].map { $0 / .seconds(1) } ?? 0
        return Diagnostic(
            code: "session/timeout", message: "session \(request.session) took longer than \(limit) s",
            help: outcome, session: request.session)
    }

    // MARK: with-timeout

    func registerLimits() {
        machine.register(
            Control(
                "(with-timeout seconds …forms)", arity: 1...2, forms: .body(from: 2),
                documentation: Documentation(
                    "The forms' value, if they end in time. Otherwise whatever runs for them, in any session, is "
                        + "interrupted, a session that does not listen within 2 s is restarted, and the error is "
                        + "eval/timeout. It says what was kept and what was lost.",
                    examples: ["(with-timeout 5 (+ 1 2)) => 3"])
            ) { [unowned self] arguments, fiber throws(Failure) in
                guard let limit = Self.seconds(try arguments.data(0)) else {
                    throw arguments.wrong(0, "a number of seconds above 0")
                }
                guard arguments.count == 2 else { return .value(.null) }
                return run(try arguments.callable(1), atMost: limit, in: fiber)
            })
    }

    private func run(_ function: Value, atMost limit: Duration, in fiber: Fiber) -> Step {
        let owner = branch(of: fiber)
        let inner = start(function, in: fiber)
        var told: Set<String> = []
        var restarted: Set<String> = []
        var isLate = false
        let wait = Wait(owner, for: [inner], until: .now + limit) { [unowned self] ended in
            if let ended {
                guard isLate, !owner.isStopping else { return ended.step }
                return .failure(Self.timeout(limit, kept: told.subtracting(restarted), lost: restarted))
            }
            let running = sessions(of: leaves(of: inner))
            if isLate {
                restarted.formUnion(running)
                for session in running { try? sessions.restart(session, force: true) }
            }
            told.formUnion(running)
            self.limit(owner, Self.grace)
            stop(inner, isUrgent: isLate)
            isLate = true
            return nil
        }
        begin(wait)
        return .suspend
    }

    private static func timeout(_ limit: Duration, kept: Set<String>, lost: Set<String>) -> Diagnostic {
        var help: [String] = []
        if !kept.isEmpty { help.append("\(kept.sorted().joined(separator: ", ")): interrupted, the state is kept") }
        if !lost.isEmpty {
            help.append(
                "\(lost.sorted().joined(separator: ", ")): did not listen and was restarted; what it held is gone")
        }
        return Diagnostic(
            code: "eval/timeout", message: "this took longer than \(text(limit))",
            help: help.isEmpty ? nil : help.joined(separator: "\n        "),
            data: .object(
                Object([
                    "seconds": .double(limit / .seconds(1)), "kept": .vector(Items(kept.sorted().map(Value.text))),
                    "lost": .vector(Items(lost.sorted().map(Value.text))),
                ])))
    }
}
