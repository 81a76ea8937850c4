import Evaluator
import Language

/// `async` and `await`: forms that run while the program goes on.
extension Router {
    func registerFutures() {
        machine.register(
            Control(
                "(async …forms)", arity: 1...1, forms: .body(from: 1),
                documentation: Documentation(
                    "Starts the forms and goes on at once: a future, whose value (await f) gives. Several runtimes work at "
                        + "the same time. As a value, async takes a function without parameters.",
                    examples: ["(await (async (+ 1 2))) => 3"])
            ) { [unowned self] arguments, fiber throws(Failure) in
                .value(.function(Future(begin(try arguments.callable(0), in: fiber), router: self)))
            })
        machine.register(
            Control(
                "(await future :timeout seconds)", arity: 1...3,
                documentation: Documentation(
                    "Waits for a future: its value, or its error raised. What is no future is given back. When the "
                        + "time is up the error is eval/timeout, and the future goes on.",
                    examples: ["(await (async (+ 1 2)) :timeout 5) => 3", "(await 5) => 5"])
            ) { [unowned self] arguments, fiber throws(Failure) in
                let given = try Given(arguments)
                guard given.positional.count == 1 else {
                    throw Failure("eval/arity", "await takes one future, got \(given.positional.count) values")
                }
                let limit = try Self.timeout(given.keywords, of: "await")
                guard let future = Self.future(given.positional[0]) else { return .value(given.positional[0]) }
                return try wait(for: future.branch, in: fiber, within: limit)
            })
        machine.register(
            Control(
                "(cancel future)", arity: 1...1,
                documentation: Documentation(
                    "Stops what a future does; whoever awaits it gets the error eval/cancelled. Whether it had not ended.",
                    examples: ["(cancel (async (loop () (recur)))) => true"])
            ) { [unowned self] arguments, _ throws(Failure) in
                guard let future = Self.future(arguments[0]) else { throw arguments.wrong(0, "a future") }
                return .value(.bool(cancel(future.branch)))
            })
        registerFutureTests()
        registerParallel()
        registerBatches()
        registerLimits()
    }

    private func registerFutureTests() {
        machine.register(
            Builtin(
                "(future? value)", arity: 1...1, lineage: .plain,
                documentation: Documentation("Whether it is a future.", examples: ["(future? (async 1)) => true"])
            ) { arguments in .bool(Self.future(arguments[0]) != nil) })
        machine.register(
            Builtin(
                "(done? future)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "Whether a future has ended, with a value or an error. What is no future is done.",
                    examples: ["(done? 5) => true"])
            ) { arguments in .bool(Self.future(arguments[0])?.branch.isPending != true) })
    }

    static func future(_ value: Value) -> Future? {
        guard case .function(let function) = value else { return nil }
        return function as? Future
    }

    /// - Throws: `eval/keyword`
    private static func timeout(_ keywords: [(String, Value)], of name: String) throws(Failure) -> Duration? {
        var limit: Duration?
        for (key, value) in keywords {
            guard key == "timeout", let given = seconds(try value.unwrapped()) else {
                throw Failure(
                    "eval/keyword", "\(name) does not take :\(key) \(Describe.short(value))",
                    help: "it takes :timeout and a number of seconds")
            }
            limit = given
        }
        return limit
    }

    // MARK: Branches

    func branch(of fiber: Fiber) -> Branch {
        if let owner = fiber.owner { return unsafeDowncast(owner, to: Branch.self) }
        let branch = Branch(fiber, startedBy: (fiber.context as? Strand).flatMap(caller))
        fiber.owner = branch
        return branch
    }

    /// The branch that waits for what led to an upcall.
    private func caller(of strand: Strand) -> Branch? {
        guard let id = strand.servedRequest, let request = waiting[id] else { return nil }
        switch request.waiter {
        case .fiber(let fiber, _): return branch(of: fiber)
        case .batch(let batch, _): return batch.branch
        case .upcall(let outer): return caller(of: outer)
        case .nobody: return nil
        }
    }

    /// Starts a future.
    private func begin(_ function: Value, in fiber: Fiber) -> Branch {
        let branch = start(function, in: fiber)
        background[ObjectIdentifier(branch)] = branch
        return branch
    }

    /// Runs a function without parameters beside the fiber, on behalf of the same upcall.
    func start(_ function: Value, in fiber: Fiber) -> Branch {
        let inner = machine.fiber(name: fiber.name, calling: function, [])
        inner.context = fiber.context
        let branch = Branch(inner, startedBy: self.branch(of: fiber))
        inner.owner = branch
        start(inner) { [unowned self] outcome in
            branch.leave()
            switch outcome {
            case .finished(let value): end(branch, .finished(value))
            case .failed(let diagnostic): end(branch, .failed(diagnostic))
            case .suspended, .yielded: break
            }
        }
        return branch
    }

    /// Tells those that wait for a branch how it ended.
    func end(_ branch: Branch, _ state: Branch.State) {
        guard branch.isPending else { return }
        branch.end(state)
        let isFuture = background.removeValue(forKey: ObjectIdentifier(branch)) != nil
        let waits = branch.waits
        branch.waits = []
        for wait in waits { look(wait, branch) }
        if isFuture, case .failed = state, !branch.isSeen, !branch.isStopping { unseen.append(branch) }
    }

    // MARK: Waiting

    /// Lets the fiber wait for a branch's end.
    ///
    /// - Throws: the branch's error, when it has ended with one; `eval/deadlock` when it waits for the fiber.
    func wait(for branch: Branch, in fiber: Fiber, within limit: Duration? = nil) throws(Failure) -> Step {
        switch branch.state {
        case .finished(let value): return .value(value)
        case .failed(let diagnostic):
            branch.isSeen = true
            throw machine.failure(diagnostic)
        case .pending: break
        }
        let waiter = self.branch(of: fiber)
        begin(
            Wait(waiter, for: [branch], until: limit.map { .now + $0 }) { ended in
                if let ended {
                    ended.isSeen = true
                    return ended.step
                }
                return .failure(
                    Diagnostic(
                        code: "eval/timeout", message: "the future took longer than \(Self.text(limit ?? .zero))",
                        help: "it goes on; (cancel f) ends it"))
            })
        guard !relieve(waiter, awaiting: branch) else { return .suspend }
        unlink(waiter)
        throw Failure("eval/deadlock", "this would wait for itself: the future waits for what awaits it here")
    }

    func begin(_ wait: Wait) {
        wait.waiter.work = .wait(wait)
        for target in wait.targets { target.waits.append(wait) }
        if wait.due != nil { timed.append(wait) }
    }

    /// Sees whether a wait is over.
    func look(_ wait: Wait, _ ended: Branch?) {
        guard case .wait(let current) = wait.waiter.work, current === wait, let step = wait.look(ended) else { return }
        finish(wait, step)
    }

    func finish(_ wait: Wait, _ step: Agenda.Step) {
        unlink(wait.waiter)
        wake(wait.waiter, step)
    }

    /// Lets a branch go on that has waited.
    func wake(_ branch: Branch, _ step: Agenda.Step) {
        branch.work = .running
        guard let fiber = branch.fiber else { return }
        agenda.add(fiber, branch.isDue ? .failure(Machine.interrupted) : step)
        branch.isDue = false
    }

    /// The branch waits for nothing any more; what it waited for is dropped when it comes.
    func unlink(_ branch: Branch) {
        switch branch.work {
        case .running: break
        case .request(let id): waiting[id]?.waiter = .nobody
        case .queued(let entry): drop(entry)
        case .batch(let batch): abandon(batch)
        case .wait(let wait):
            for target in wait.targets { target.waits.removeAll { $0 === wait } }
            timed.removeAll { $0 === wait }
        }
        branch.work = .running
    }

    // MARK: Ending

    /// Whether it had not ended.
    func cancel(_ branch: Branch) -> Bool {
        guard branch.isPending else { return false }
        branch.isSeen = true
        stop(branch)
        end(
            branch,
            .failed(Diagnostic(code: "eval/cancelled", message: "the future was cancelled")))
        return true
    }

    /// Lets futures go on until none is left, or the program is to end.
    func awaitFutures() {
        while !background.isEmpty, !isEnding, !wasInterrupted { turn() }
    }

    /// Stops the futures that have not ended; their number.
    func cancelFutures() -> Int {
        let left = Array(background.values)
        for branch in left { _ = cancel(branch) }
        return left.count
    }

    /// The errors of futures that nobody has awaited; each is told once.
    func takeFailures() -> [Diagnostic] {
        defer { unseen = [] }
        return unseen.compactMap { branch in
            guard !branch.isSeen, case .failed(let diagnostic) = branch.state else { return nil }
            branch.isSeen = true
            return diagnostic
        }
    }

    static func text(_ limit: Duration) -> String {
        let seconds = limit / .seconds(1)
        return seconds == seconds.rounded() && seconds < 1e15 ? "\(Int(seconds)) s" : "\(seconds) s"
    }
}
