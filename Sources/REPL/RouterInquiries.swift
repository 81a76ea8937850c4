import Glibc
import Language
import Sessions
import Wire

/// What the prompt asks sessions on its own account: nothing is recorded, and no error is shown.
extension Router {
    struct Answer {
        let body: [UInt8]
        /// What a shell command wrote.
        let output: [UInt8]
    }

    enum Inquiry {
        case answered(Answer)
        case refused
        /// The session cannot be asked, or did not answer in time.
        case silent
    }

    /// Asks a session that has nothing else to do, within a time after which it is interrupted.
    func ask(
        _ request: Request, body: [UInt8] = [], of session: String, within limit: Duration = .seconds(2)
    ) -> Inquiry {
        guard !sessions.isBusy(session), let id = try? sessions.submit(request, body: body, to: session) else {
            return .silent
        }
        var result: Inquiry?
        inquiries[id] = { [unowned self] reply, body, output in
            // Nobody here keeps what it refers to: it is given back.
            if let reply { _ = admit(reply.references, from: session) }
            result = reply == nil ? .refused : .answered(Answer(body: body, output: output ?? []))
        }
        let deadline = ContinuousClock.now + limit
        while result == nil, deadline > .now, ending == nil {
            for event in sessions.wait(until: deadline) { take(event) }
            if wasInterrupted { break }
        }
        interruption = Interruption()
        if let result { return result }
        inquiries[id] = { _, _, _ in }
        sessions.interrupt(session)
        return .silent
    }
}
