import Evaluator
import Glibc
import Language
import Sessions
import Wire

/// How far the user's wish to stop what runs has come.
struct Interruption {
    /// Presses that belong together are at most this far apart.
    static let patience = Duration.seconds(2)
    /// Node may lose a signal that lands at the end of a burst, and a session that is starting has no ear yet.
    static let nudge = Duration.seconds(1)

    /// 1: what runs is interrupted; 2: its restart is offered; 3: it is restarted.
    private(set) var rung = 0
    /// The last rung that something was done about.
    var served = 0
    /// Whether the press has ended something.
    var isHeard = false
    private var last: ContinuousClock.Instant?

    /// A press of Ctrl-C.
    mutating func press() {
        let now = ContinuousClock.now
        let isFollowUp = last.map { now - $0 <= Self.patience } ?? false
        rung = isFollowUp ? rung + 1 : 1
        served = min(served, rung - 1)
        isHeard = false
        last = now
    }
}

/// Stopping what runs: for Ctrl-C, `cancel`, a time that is up.
extension Router {
    func take(signal: Int32) {
        switch signal {
        case SIGINT:
            console.noteEcho()
            interruption.press()
            if interruption.rung == 1, let program = driven.last { stop(program, under: program, isUser: true) }
        case SIGCHLD: serveStopped()
        case SIGWINCH: break
        default: lethal = signal
        }
    }

    var wasInterrupted: Bool { interruption.rung > 0 }

    /// Whether running meta code is to stop.
    var isInterrupted: Bool { isEnding || wasInterrupted }

    /// Whether nothing more is to run.
    var isEnding: Bool { ending != nil || hasExited }

    // MARK: Stopping

    /// A request may be done before its session hears of the press: then the program is interrupted that made it.
    func interruptUnheard(_ fiber: Fiber, _ step: Agenda.Step) {
        guard isInterrupted, !interruption.isHeard, case .value = step, isStopping(fiber) else { return }
        interruption.isHeard = true
        interrupt(fiber)
    }

    /// Time slices that `finally` has to clean up in once its program was interrupted: about a second.
    private static let cleanupLimit = 300

    /// Interrupts running meta code: its cleanups run, unless they take long or the user insists.
    func interrupt(_ fiber: Fiber) {
        let isUrgent = isEnding || interruption.rung > 1 || fiber.cleanupSlices > Self.cleanupLimit
        if isUrgent { fiber.isAbandoned = true }
        if isUrgent || fiber.cleanupSlices == 0 { fiber.isInterrupted = true }
        fiber.cleanupSlices += 1
    }

    /// Stops whatever runs for a branch, wherever that is, with all that it has started. Its ends come in their time.
    ///
    /// - Parameter isUrgent: cleanups under way are left, and others not begun.
    func stop(_ branch: Branch, isUrgent: Bool = false) {
        stop(branch, under: branch, isUser: false, isUrgent: isUrgent)
        for future in background.values where future.descends(from: branch) {
            stop(future, under: branch, isUser: false, isUrgent: isUrgent)
        }
    }

    /// - Parameters:
    ///   - root: of the futures that are awaited, those that this one has started are stopped.
    ///   - isUser: Ctrl-C: sessions end what they do with an error of their own, which programs may catch.
    private func stop(_ branch: Branch, under root: Branch, isUser: Bool, isUrgent: Bool = false) {
        guard branch.isPending, let fiber = branch.fiber else { return }
        branch.isStopping = true
        if isUrgent { (fiber.isAbandoned, fiber.cleanupSlices) = (true, 0) }
        if case .running = branch.work { return interrupt(fiber) }
        if !isUser {
            fiber.cleanupSlices += 1
            branch.isDue = true
        }
        switch branch.work {
        case .running: break
        case .request(let id): stop(id, under: root, isUser: isUser)
        case .queued: give(fiber, Machine.interrupted)
        case .batch(let batch): stop(batch)
        case .wait(let wait):
            let inner = wait.targets.filter { $0.isPending && $0.descends(from: root) }
            guard !inner.isEmpty else { return finish(wait, .failure(Machine.interrupted)) }
            for target in inner { stop(target, under: root, isUser: isUser, isUrgent: isUrgent) }
        }
    }

    /// Stops a request: the innermost thing that runs for it.
    private func stop(_ id: RequestID, under root: Branch, isUser: Bool) {
        let inner = strands(servedBy: id)
        if inner.isEmpty { return interrupt(id) }
        for strand in inner { stop(strand, under: root, isUser: isUser) }
    }

    private func stop(_ strand: Strand, under root: Branch?, isUser: Bool) {
        if let fiber = strand.fiber {
            let branch = branch(of: fiber)
            stop(branch, under: root ?? branch, isUser: isUser)
        }
        for entry in queues.values.joined() where entry.waiting.isFor(strand) {
            drop(entry)
            tell(entry.waiting, .lost(Machine.interrupted))
        }
        for (id, request) in waiting where request.isFor(strand) {
            let inner = strands(servedBy: id)
            if inner.isEmpty { interrupt(id) } else { for next in inner { stop(next, under: root, isUser: isUser) } }
        }
    }

    /// Stops what works on the answer to an upcall that nobody waits for any more.
    func stop(_ strand: Strand) {
        stop(strand, under: nil, isUser: false)
    }

    /// The upcalls for whose answer the thread that works on a request waits.
    func strands(servedBy id: RequestID) -> [Strand] {
        guard let request = waiting[id] else { return [] }
        return strands.filter {
            $0.isOpen && !$0.isAsync && $0.servedRequest == id && $0.session == request.session
        }
    }

    /// Interrupts a session's own code. Where other requests of the session must live, it is told which one is meant.
    func interrupt(_ id: RequestID) {
        guard let request = waiting[id] else { return }
        let session = request.session
        waiting[id]?.interrupted = .now
        let isShared = waiting.contains { $0.key != id && $0.value.session == session && $0.value.upcall == nil }
        if isShared, !request.isCancelled, sessions.cancel(id) {
            waiting[id]?.isCancelled = true
            return nudge(id)
        }
        // A session that is starting is told once it is there.
        if !sessions.interrupt(session) || mayMissSignals(session) { nudge(id) } else { waiting[id]?.nudge = nil }
    }

    /// Whether the request was interrupted a moment ago, when what it now asks was on its way: a kernel that waits for
    /// an answer does not listen to signals. True once.
    func takeInterrupt(of id: RequestID) -> Bool {
        guard let time = waiting[id]?.interrupted, .now - time < .milliseconds(250) else { return false }
        waiting[id]?.interrupted = nil
        return true
    }

    /// Whether a session had answered another's upcall before it heard of its interrupt: then who asked is interrupted by the answer.
    func missedInterrupt(_ request: Waiting, _ end: Outcome) -> Bool {
        guard case .upcall = request.waiter, case .reply = end, let time = request.interrupted else { return false }
        guard !(wasInterrupted && interruption.isHeard) else { return false }
        // Code of JavaScript cannot catch an interrupt and go on.
        return mayMissSignals(request.session) || .now - time < .milliseconds(250)
    }

    /// Interrupts a request again when it has not ended after that time.
    func nudge(_ id: RequestID, after time: Duration = Interruption.nudge) {
        waiting[id]?.nudge = .now + time
        watched.insert(id)
    }

    private func mayMissSignals(_ session: String) -> Bool {
        sessions.language(of: session) == "js"
    }

    // MARK: Further rungs

    /// The requests that run for a branch and have asked nothing themselves.
    func leaves(of root: Branch) -> [RequestID] {
        leaves(of: root, under: root)
            + background.values.filter { $0.isStopping && $0.descends(from: root) }.flatMap {
                leaves(of: $0, under: root)
            }
    }

    private func leaves(of branch: Branch, under root: Branch) -> [RequestID] {
        guard branch.isPending else { return [] }
        switch branch.work {
        case .running, .queued: return []
        case .request(let id): return leaves(of: id, under: root)
        case .batch(let batch): return batch.requests.first.map { leaves(of: $0, under: root) } ?? []
        case .wait(let wait):
            return wait.targets.filter { $0.descends(from: root) }.flatMap { leaves(of: $0, under: root) }
        }
    }

    private func leaves(of id: RequestID, under root: Branch) -> [RequestID] {
        let inner = strands(servedBy: id)
        if inner.isEmpty { return [id] }
        return inner.flatMap { strand in
            (strand.fiber.map { leaves(of: branch(of: $0), under: root) } ?? [])
                + waiting.filter { $0.value.isFor(strand) }.keys.flatMap { leaves(of: $0, under: root) }
        }
    }

    /// The sessions of requests, each once, in the order of the requests.
    func sessions(of requests: [RequestID]) -> [String] {
        var found: [String] = []
        for id in requests.sorted() {
            if let name = waiting[id]?.session, !found.contains(name) { found.append(name) }
        }
        return found
    }

    /// What a second and a third Ctrl-C, or a signal to end, do to a program whose sessions do not answer.
    func escalate() {
        guard let program = driven.last, let fiber = program.fiber else { return }
        if isEnding {
            if case .running = program.work { return }
            return give(fiber, Machine.interrupted)
        }
        guard interruption.rung >= 2, interruption.rung > interruption.served else { return }
        interruption.served = interruption.rung
        for session in sessions(of: leaves(of: program)) {
            if interruption.rung == 2, let offersRestart {
                offersRestart(session)
            } else {
                try? sessions.restart(session, force: true)
            }
        }
    }
}
