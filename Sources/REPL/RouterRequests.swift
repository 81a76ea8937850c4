import Evaluator
import Language
import Sessions
import Wire

/// Requests on their way to sessions.
extension Router {
    /// Sends a request on a fiber's behalf; the fiber goes on with what `finish` makes of the end.
    ///
    /// - Parameter code: what lineage shows as the maker of the result, when that is not the request's own code or path.
    func submit(
        _ request: Request, body: [UInt8], to session: String, for fiber: Fiber, parents: [Int] = [],
        code: String? = nil, captures: Bool? = nil, finish: @escaping (Outcome) throws(Failure) -> Value
    ) throws(Failure) -> Step {
        let strand = fiber.context as? Strand
        try submit(
            request, body: body, to: session, captures: captures,
            for: Waiting(
                waiter: .fiber(fiber, finish), strand: strand, location: machine.location(of: fiber),
                session: session, code: code ?? Self.text(of: request), parents: parents, start: Clock.now))
        return .suspend
    }

    /// Sends a request; the thread of that session that waits for what it asked is asked first.
    func submit(
        _ request: Request, body: [UInt8], to session: String, captures: Bool? = nil, for waiter: Waiting
    ) throws(Failure) {
        var request = request
        request.upcall = upcall(for: waiter)
        if case .upcall(let strand) = waiter.waiter {
            request.share = takesBuffers(strand.session) ? .publish : .reference
        }
        if request.upcall == nil, sessions.isBusy(session), !takesMore(session) {
            return enqueue(Queued(request, body, captures: captures, waiter))
        }
        try send(request, body: body, captures: captures, for: waiter)
        handles.send(request.references, to: waiter.session)
    }

    /// The upcall on whose behalf a request is made, where its session's thread waits for the answer to it.
    func upcall(for waiter: Waiting) -> Int? {
        guard let strand = waiter.strand else { return nil }
        return strand.waiting(in: waiter.session, generation: sessions.generation(of: waiter.session))?.upcall
    }

    /// Sends a request to a session that can take it.
    func send(_ request: Request, body: [UInt8], captures: Bool?, for waiter: Waiting) throws(Failure) {
        let session = waiter.session
        do throws(SessionError) {
            sendReleases(to: session)
            let id = try sessions.submit(request, body: body, to: session, captures: captures)
            if stopped.remove(session) != nil { sessions.resume(session) }
            errorTails[session] = Tail()
            var waiter = waiter
            waiter.upcall = request.upcall
            if let limit = timeouts[session] {
                waiter.deadline = .now + limit
                watched.insert(id)
            }
            waiting[id] = waiter
            switch waiter.waiter {
            case .fiber(let fiber, _): branch(of: fiber).work = .request(id)
            case .batch(let batch, let index): batch.note(id, index)
            case .upcall, .nobody: break
            }
        } catch {
            throw Failure(
                error.code, error.message, help: error.help.isEmpty ? nil : error.help.joined(separator: "\n        "))
        }
    }

    /// What the ledger calls a request: its code, its path, or for a call `path(…)`.
    private static func text(of request: Request) -> String {
        request.operation == .call ? request.summary + "(…)" : request.summary
    }

    /// The name of the next piece of code in a session: `<py 3>`.
    func nextName(in session: String) -> String {
        evaluations[session, default: 0] += 1
        return "<\(session) \(evaluations[session, default: 0])>"
    }
}
