import Evaluator
import Glibc
import Language
import Sessions

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
    /// Sessions that may not have heard, and when they are told again.
    var unsure: Set<String> = []
    var nextNudge: ContinuousClock.Instant?

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

extension Router {
    func take(signal: Int32) {
        switch signal {
        case SIGINT:
            console.noteEcho()
            interruption.press()
            if interruption.rung == 1 { interrupt(busySessions) }
        case SIGCHLD: serveStopped()
        case SIGWINCH: break
        default: lethal = signal
        }
    }

    var wasInterrupted: Bool { interruption.rung > 0 }

    /// Whether running meta code is to stop.
    var isInterrupted: Bool { ending != nil || wasInterrupted }

    /// A request may be done before its session hears of the press: then the program is interrupted that made it.
    func interruptUnheard(_ fiber: Fiber, _ step: Agenda.Step) {
        guard isInterrupted, !interruption.isHeard, case .value = step else { return }
        interruption.isHeard = true
        interrupt(fiber)
    }

    /// Time slices that `finally` has to clean up in once its program was interrupted: about a second.
    private static let cleanupLimit = 300

    /// Interrupts running meta code: its cleanups run, unless they take long or the user insists.
    func interrupt(_ fiber: Fiber) {
        let isUrgent = ending != nil || interruption.rung > 1 || fiber.cleanupSlices > Self.cleanupLimit
        fiber.isAbandoned = isUrgent
        fiber.isInterrupted = isUrgent || fiber.cleanupSlices == 0
        fiber.cleanupSlices += 1
    }

    private func interrupt(_ busy: Set<String>) {
        // A session that is starting is told once it is there.
        interruption.unsure = busy.filter { !sessions.interrupt($0) || mayMissSignals($0) }
        interruption.nextNudge = interruption.unsure.isEmpty ? nil : .now + Interruption.nudge
    }

    /// The sessions whose own code runs; not those that wait for what they have asked.
    private var busySessions: Set<String> {
        let callers = Set(strands.compactMap { $0.isAsync ? nil : $0.servedRequest })
        return Set(waiting.filter { !callers.contains($0.key) }.values.map(\.session))
    }

    private func mayMissSignals(_ session: String) -> Bool {
        sessions.language(of: session) == "js"
    }

    /// What time, a second Ctrl-C, or a signal to end does to a fiber whose session does not answer.
    func escalate(_ fiber: Fiber) {
        guard let request = waiting.values.first(where: { $0.isFor(fiber) }) else { return }
        if ending != nil { return give(fiber, Machine.interrupted) }
        if let due = interruption.nextNudge, due <= .now { interrupt(interruption.unsure.intersection(busySessions)) }
        guard interruption.rung >= 2, interruption.rung > interruption.served else { return }
        interruption.served = interruption.rung
        let session = busySessions.contains(request.session) ? request.session : busySessions.first ?? request.session
        if interruption.rung == 2, let offersRestart { return offersRestart(session) }
        try? sessions.restart(session, force: true)
    }
}
