import Evaluator
import Language
import Sessions
import Wire

/// Requests that wait for their session.
///
/// A session that serves one request at a time gets the next when it has answered: what waits can be dropped, an
/// interrupt reaches what it is meant for, and a request that its own session's thread waits for can be sent to that
/// thread.
extension Router {
    /// Whether the session, which is busy, can take a further request now.
    func takesMore(_ session: String) -> Bool {
        queues[session] == nil && servesMany(session) && blocking(session) == nil
    }

    /// Whether it serves further requests while earlier ones wait for a promise.
    func servesMany(_ session: String) -> Bool {
        sessions.operations(of: session)?.contains("cancel") ?? false
    }

    func enqueue(_ entry: Queued) {
        let session = entry.waiting.session
        queues[session, default: []].append(entry)
        // What it names counts as sent from now on.
        handles.send(entry.request.references, to: session)
        if let number = entry.request.reference, let generation = sessions.generation(of: session) {
            entry.leases = handles.leases([Reference(owner: session, generation: generation, number: number)])
        }
        if case .fiber(let fiber, _) = entry.waiting.waiter { branch(of: fiber).work = .queued(entry) }
        relieve()
    }

    /// Takes back a request that has not been sent.
    func drop(_ entry: Queued) {
        remove(entry)
        for reference in entry.request.references {
            handles.release(Release(reference, times: 1), by: entry.waiting.session)
        }
    }

    private func remove(_ entry: Queued) {
        let session = entry.waiting.session
        if let index = queues[session]?.firstIndex(where: { $0 === entry }) { queues[session]?.remove(at: index) }
        if queues[session]?.isEmpty == true { queues[session] = nil }
    }

    /// Sends what the session can take now.
    func pump(_ session: String) {
        while let entry = queues[session]?.first {
            if sessions.isBusy(session), !servesMany(session) || blocking(session) != nil { return }
            send(entry)
        }
    }

    private func send(_ entry: Queued, to strand: Strand? = nil) {
        remove(entry)
        var request = entry.request
        request.upcall = strand?.upcall
        if case .fiber(let fiber, _) = entry.waiting.waiter { branch(of: fiber).work = .running }
        do throws(Failure) {
            try send(request, body: entry.body, captures: entry.captures, for: entry.waiting)
        } catch {
            tell(entry.waiting, .lost(machine.diagnostic(error)))
        }
    }

    // MARK: Circles

    /// The innermost upcall that keeps the session's own thread waiting.
    private func blocking(_ session: String) -> Strand? {
        strands.last {
            isBlocking($0, session) && $0.generation == sessions.generation(of: session)
        }
    }

    /// Sends what would wait for ever to the thread that waits for it.
    private func relieve() {
        guard !strands.isEmpty else { return }
        for (session, queue) in queues {
            guard let strand = blocking(session) else { continue }
            for entry in queue where reaches(.strand(strand), Self.point(entry.waiting.waiter)) {
                send(entry, to: strand)
            }
        }
    }

    /// Sees to it that a branch that now waits for another does not wait for itself. False when it would.
    func relieve(_ waiter: Branch, awaiting target: Branch) -> Bool {
        relieve()
        return !reaches(.branch(target), .branch(waiter))
    }

    /// Who may wait for whom.
    private enum Point {
        case branch(Branch)
        case strand(Strand)
        case nobody

        var id: ObjectIdentifier? {
            switch self {
            case .branch(let branch): ObjectIdentifier(branch)
            case .strand(let strand): ObjectIdentifier(strand)
            case .nobody: nil
            }
        }
    }

    private static func point(_ waiter: Waiter) -> Point {
        switch waiter {
        case .fiber(let fiber, _): fiber.owner.map { .branch(unsafeDowncast($0, to: Branch.self)) } ?? .nobody
        case .upcall(let strand): .strand(strand)
        case .batch(let batch, _): .branch(batch.branch)
        case .nobody: .nobody
        }
    }

    /// Whether `start` cannot go on before `goal` does.
    private func reaches(_ start: Point, _ goal: Point) -> Bool {
        var seen: Set<ObjectIdentifier> = []
        var open = [start]
        while let point = open.popLast() {
            guard let id = point.id, seen.insert(id).inserted else { continue }
            if id == goal.id { return true }
            switch point {
            case .branch(let branch): open += awaited(by: branch)
            case .strand(let strand): open += awaited(by: strand)
            case .nobody: break
            }
        }
        return false
    }

    private func awaited(by branch: Branch) -> [Point] {
        switch branch.work {
        case .running: []
        case .request(let id): awaited(by: id)
        case .queued(let entry): points(of: strands(blocking: entry.waiting.session))
        case .batch(let batch): points(of: strands(blocking: batch.session))
        case .wait(let wait): wait.targets.filter(\.isPending).map(Point.branch)
        }
    }

    private func awaited(by strand: Strand) -> [Point] {
        var points: [Point] = strand.fiber.map { [.branch(branch(of: $0))] } ?? []
        for (id, request) in waiting where request.isFor(strand) { points += awaited(by: id) }
        for entry in queues.values.joined() where entry.waiting.isFor(strand) {
            points += self.points(of: strands(blocking: entry.waiting.session))
        }
        return points
    }

    /// What keeps a request from its answer: what it asked itself, and what keeps its session's thread from reading it.
    private func awaited(by id: RequestID) -> [Point] {
        guard let request = waiting[id] else { return [] }
        return points(
            of: request.upcall == nil
                ? strands(blocking: request.session)
                : strands.filter { $0.isOpen && !$0.isAsync && $0.servedRequest == id })
    }

    private func strands(blocking session: String) -> [Strand] {
        strands.filter { isBlocking($0, session) }
    }

    /// Whether the thread that works on a request of meta's waits for the answer; one that has answered does not.
    private func isBlocking(_ strand: Strand, _ session: String) -> Bool {
        guard strand.isOpen, !strand.isAsync, strand.session == session, let served = strand.servedRequest else {
            return false
        }
        return waiting[served] != nil
    }

    private func points(of strands: [Strand]) -> [Point] { strands.map(Point.strand) }
}
