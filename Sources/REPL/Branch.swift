import Evaluator
import Language
import Wire

/// A fiber with its part in the program: who takes it along when it stops, what it waits for, and how it ended.
final class Branch {
    enum State {
        case pending
        case finished(Value)
        case failed(Diagnostic)
    }

    /// What a fiber does.
    enum Work {
        /// It runs, or is about to.
        case running
        case request(RequestID)
        case queued(Queued)
        case batch(Batch)
        case wait(Wait)
    }

    /// Nil once it has ended.
    private(set) var fiber: Fiber?
    private var parent: Branch?
    private(set) var state = State.pending
    var work = Work.running
    /// Those that wait for its end.
    var waits: [Wait] = []
    /// Whether it has been told to stop.
    var isStopping = false
    /// Whether what it waits for ends with an interrupt, however that ends.
    var isDue = false
    /// Whether somebody has taken its end, so that a failure is not reported.
    var isSeen = false

    init(_ fiber: Fiber, startedBy parent: Branch?) {
        self.fiber = fiber
        self.parent = parent
        // Ancestors that have ended are let go, or a chain of futures would keep them all.
        parent?.forgetEnded()
    }

    private func forgetEnded() {
        while let next = parent, !next.isPending { parent = next.parent }
    }

    /// Whether it was started by that branch, or by what that one started.
    func descends(from ancestor: Branch) -> Bool {
        var next = parent
        while let branch = next {
            if branch === ancestor { return true }
            next = branch.parent
        }
        return false
    }

    var isPending: Bool {
        if case .pending = state { true } else { false }
    }

    /// How whoever waits for it goes on; nil while it has not ended.
    var step: Agenda.Step? {
        switch state {
        case .pending: nil
        case .finished(let value): .value(value)
        case .failed(let diagnostic): .failure(diagnostic)
        }
    }

    /// Notes its end; what comes later is not counted.
    func end(_ state: State) {
        guard isPending else { return }
        self.state = state
    }

    /// The fiber has ended, whatever became of the branch before.
    func leave() {
        fiber?.owner = nil
        fiber = nil
    }
}

/// A branch that waits for others, for a time, or for whichever comes first.
final class Wait {
    let waiter: Branch
    let targets: [Branch]
    /// When `look` is called though nothing has ended.
    var due: ContinuousClock.Instant?
    /// What to do now that a target has ended, nil: that it is due. A step lets the waiter go on.
    let look: (Branch?) -> Agenda.Step?

    init(
        _ waiter: Branch, for targets: [Branch], until due: ContinuousClock.Instant? = nil,
        look: @escaping (Branch?) -> Agenda.Step?
    ) {
        self.waiter = waiter
        self.targets = targets
        self.due = due
        self.look = look
    }
}

/// A request that waits until its session can take it.
final class Queued {
    let request: Request
    let body: [UInt8]
    let captures: Bool?
    let waiting: Router.Waiting
    /// What keeps the objects alive that it names.
    var leases: AnyObject?

    init(_ request: Request, _ body: [UInt8], captures: Bool?, _ waiting: Router.Waiting) {
        self.request = request
        self.body = body
        self.captures = captures
        self.waiting = waiting
    }
}

/// What `async` gives: the value that its form will have.
final class Future: ControlFunction {
    let branch: Branch
    private unowned let router: Router

    init(_ branch: Branch, router: Router) {
        self.branch = branch
        self.router = router
        super.init(name: "future", signature: "(await future)")
    }

    override var form: String {
        switch branch.state {
        case .pending: "#<future pending>"
        case .finished(let value): "#<future done: \(Printer.sanitizedLine(Describe.short(value)))>"
        case .failed(let error): "#<future failed: \(Printer.sanitizedLine(error.code))>"
        }
    }

    /// A call waits for it, so that other languages can.
    override func call(_ path: [String], _ arguments: inout Arguments, in fiber: Fiber) throws(Failure) -> Step {
        guard path.isEmpty, arguments.count == 0 else { throw Self.unready() }
        return try router.wait(for: branch, in: fiber)
    }

    override func fetch(_ path: [String], in fiber: Fiber) throws(Failure) -> Step {
        throw Self.unready()
    }

    private static func unready() -> Failure {
        Failure("eval/future", "a future is no value yet", help: "(await f) waits for its value")
    }
}
