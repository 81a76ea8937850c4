import Language
import Sessions

/// Requests that take longer than their session's `:timeout`.
extension Router {
    /// How long a session may take to notice that its time is up, before it is restarted.
    private static let grace = Duration.seconds(2)

    var nextDeadline: ContinuousClock.Instant? {
        let due = waiting.isEmpty ? nil : waiting.values.compactMap(\.deadline).min()
        return [interruption.nextNudge, due].compactMap { $0 }.min()
    }

    /// Interrupts what is late; restarts the session of what is later still.
    func enforceDeadlines() {
        for (id, request) in waiting {
            guard let due = request.deadline, due <= .now else { continue }
            if request.isLate {
                waiting[id]?.deadline = nil
                try? sessions.restart(request.session, force: true)
            } else {
                waiting[id]?.isLate = true
                waiting[id]?.deadline = .now + Self.grace
                sessions.interrupt(request.session)
            }
        }
    }

    func timeout(of request: Waiting, _ outcome: String) -> Diagnostic {
        let limit = timeouts[request.session].map { $0 / .seconds(1) } ?? 0
        return Diagnostic(
            code: "session/timeout", message: "session \(request.session) took longer than \(limit) s",
            help: outcome, session: request.session)
    }
}
