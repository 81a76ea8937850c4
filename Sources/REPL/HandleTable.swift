import Language
import Wire

/// Who holds what: objects of sessions that meta or other sessions refer to, and functions of meta that sessions do.
///
/// An owner counts how often it has sent an object, and forgets it when it has been told that as many sendings are done
/// with. Meta receives for all: it counts what the owner sent to it, and how often it has passed the object on to which
/// session. When neither a lease of its own nor any session is left, it gives the owner all that it has received.
final class HandleTable: ReferenceBook {
    static let meta = "meta"
    /// Releases for one owner that are sent without waiting for the next request.
    static let batch = 256

    private struct Entry {
        /// Sendings by the owner that it has not been told of.
        var received = 0
        /// Sessions that hold it.
        var holders = 0
        weak var lease: Lease?
        /// The function itself, where meta is the owner.
        var function: Function?
    }

    private var entries: [Reference: Entry] = [:]
    /// How often each session was sent what it has not released.
    private var held: [String: [Reference: Int]] = [:]
    private var releases: [String: [Release]] = [:]
    /// Objects whose lease has gone, not yet seen to: a lease may go while the table is at work.
    private var dropped: [Reference] = []
    /// The leases of the frame that arrived last, until somebody has taken them.
    private var arriving: [Lease] = []
    private var numbers: [ObjectIdentifier: Int] = [:]
    private var lastNumber = 0
    /// Functions of meta in bodies that are about to be sent: they keep their numbers until then.
    private var unsent: [Reference] = []

    /// In which generation each session has last had to do with objects.
    private var generations: [String: Int] = [:]
    /// The generation of a session that runs.
    private let generation: (_ session: String) -> Int?
    private let makeHandle: (ReferenceRecord, Lease) -> Handle
    /// Who makes arrays of records.
    private unowned let router: Router

    init(
        router: Router, generation: @escaping (_ session: String) -> Int?,
        makeHandle: @escaping (ReferenceRecord, Lease) -> Handle
    ) {
        self.router = router
        self.generation = generation
        self.makeHandle = makeHandle
    }

    // MARK: Frames that arrive

    /// Takes note of what a session's frame lists. The leases stay until `endArrival` or the next frame.
    ///
    /// - Throws: `wire/unreadable` for what the session cannot name, `session/stale-handle` for what has gone.
    func receive(_ references: [Reference], from session: String) throws(Failure) {
        if references.isEmpty, arriving.isEmpty { return }
        meet(session)
        var leases: [Lease] = []
        var problem: Failure?
        for reference in references {
            do throws(Failure) {
                try admit(reference, from: session)
                if reference.owner != Self.meta { leases.append(lease(reference)) }
            } catch {
                problem = problem ?? error
            }
        }
        arriving = leases
        if let problem { throw problem }
    }

    /// Nobody takes the leases of the last frame any more.
    func endArrival() {
        if !arriving.isEmpty { arriving = [] }
    }

    /// What keeps objects alive that a frame listed; nil for none.
    func leases(_ references: [Reference]) -> AnyObject? {
        let leases = references.compactMap { entries[$0]?.lease }
        return leases.count > 1 ? Leases(leases) : leases.first
    }

    private func admit(_ reference: Reference, from session: String) throws(Failure) {
        guard reference.owner == session else { return try check(reference, heldBy: session) }
        // A session that has ended since has no generation; what it sent is stale.
        let current = generation(session) ?? reference.generation
        guard reference.generation == current, reference.number > 0 else {
            throw Failure(
                "wire/unreadable",
                "session \(session), generation \(current), names \(reference.text) of generation \(reference.generation)"
            )
        }
        guard generation(session) != nil else { return }
        entries[reference, default: Entry()].received += 1
    }

    /// - Throws: unless the session was sent the object and still holds it.
    func check(_ reference: Reference, heldBy session: String) throws(Failure) {
        meet(reference.owner)
        if held[session]?[reference] != nil { return }
        if reference.owner != Self.meta, generation(reference.owner) != reference.generation {
            throw stale(reference)
        }
        throw Failure("wire/unreadable", "session \(session) names \(reference.text), which it does not hold")
    }

    /// - Throws: unless the object is the session's own, or it was sent it and still holds it.
    func check(_ reference: Reference, namedBy session: String) throws(Failure) {
        if reference.owner != session || reference.generation != generation(session) {
            try check(reference, heldBy: session)
        }
    }

    private func lease(_ reference: Reference) -> Lease {
        if let known = entries[reference]?.lease, !known.isReleased { return known }
        let lease = Lease(reference, of: self)
        entries[reference]?.lease = lease
        return lease
    }

    // MARK: Frames that leave

    /// Takes note of what a frame to a session lists.
    func send(_ references: [Reference], to session: String) {
        meet(session)
        for reference in references where reference.owner != session {
            guard entries[reference] != nil else { continue }
            let times = held[session]?[reference] ?? 0
            held[session, default: [:]][reference] = times + 1
            if times == 0 { entries[reference]?.holders += 1 }
        }
        forgetUnsent()
    }

    /// A session is done with so many sendings of what it was sent.
    func release(_ release: Release, by session: String) {
        meet(session)
        guard let times = held[session]?[release.reference], release.times > 0 else { return }
        if times > release.times {
            held[session]?[release.reference] = times - release.times
        } else {
            held[session]?[release.reference] = nil
            loseHolder(release.reference)
        }
    }

    private func loseHolder(_ reference: Reference) {
        entries[reference]?.holders -= 1
        dropped.append(reference)
    }

    /// Notices that a session is not the one it was: a session with nothing to do ends without a word.
    private func meet(_ session: String) {
        let current = generation(session)
        guard generations[session] != current else { return }
        if generations[session] != nil { end(session) }
        generations[session] = current
    }

    /// The session has gone: its objects are stale, and it holds nothing any more.
    func end(_ session: String) {
        if let generation = generations[session] { router.keepSegments(of: session, generation) }
        generations[session] = nil
        releases[session] = nil
        for reference in (held.removeValue(forKey: session) ?? [:]).keys { loseHolder(reference) }
        for (other, references) in held {
            held[other] = references.filter { $0.key.owner != session }
        }
        for reference in entries.keys.filter({ $0.owner == session }) { entries[reference] = nil }
    }

    // MARK: Releases

    /// A lease has gone.
    func drop(_ reference: Reference) {
        dropped.append(reference)
    }

    /// The owners that have something to hear, with what.
    func takeReleases(atLeast count: Int = 1) -> [(owner: String, [Release])] {
        settle()
        var batches: [(String, [Release])] = []
        for (owner, batch) in releases where batch.count >= count {
            batches.append((owner, batch))
            releases[owner] = nil
        }
        return batches
    }

    /// What is to be told the owner in front of the next request to it.
    func takeReleases(for owner: String) -> [Release] {
        settle()
        return releases.removeValue(forKey: owner) ?? []
    }

    /// Whether so much has gathered that it should not wait for a request.
    var isFull: Bool { dropped.count >= Self.batch || releases.values.contains { $0.count >= Self.batch } }

    /// Sees to all that nobody holds any more.
    private func settle() {
        while !dropped.isEmpty {
            let references = dropped
            dropped = []
            for reference in references { forget(reference) }
        }
    }

    private func forget(_ reference: Reference) {
        guard let entry = entries[reference], entry.holders <= 0, entry.lease?.isReleased ?? true,
            !unsent.contains(reference)
        else { return }
        entries[reference] = nil
        if let function = entry.function { numbers[ObjectIdentifier(function)] = nil }
        guard reference.owner != Self.meta, entry.received > 0 else { return }
        releases[reference.owner, default: []].append(Release(reference, times: entry.received))
    }

    /// Gives an object back before its handles have gone.
    func giveBack(_ lease: Lease) {
        lease.isReleased = true
        dropped.append(lease.reference)
    }

    // MARK: Values

    /// - Throws: `session/stale-handle`.
    func record(of function: Function) throws(Failure) -> ReferenceRecord {
        if let handle = function as? Handle {
            try check(handle.lease)
            return handle.record
        }
        let reference = Reference(owner: Self.meta, generation: 1, number: number(of: function))
        unsent.append(reference)
        return ReferenceRecord(
            reference: reference, type: "function",
            repr: Printer.sanitizedLine(function.signature), isCallable: true)
    }

    private func number(of function: Function) -> Int {
        if let known = numbers[ObjectIdentifier(function)] { return known }
        lastNumber += 1
        numbers[ObjectIdentifier(function)] = lastNumber
        let reference = Reference(owner: Self.meta, generation: 1, number: lastNumber)
        var entry = Entry()
        entry.function = function
        entries[reference] = entry
        return lastNumber
    }

    /// What got a number for a body that was never sent is forgotten.
    private func forgetUnsent() {
        guard !unsent.isEmpty else { return }
        dropped += unsent
        unsent = []
        settle()
    }

    /// The function or handle for a record that a frame listed.
    func value(of record: ReferenceRecord) throws(Failure) -> Value {
        if record.reference.owner == Self.meta { return .function(try function(record.reference)) }
        let lease = lease(record.reference)
        if let known = lease.handle {
            known.record = record
            return .function(known)
        }
        let handle = makeHandle(record, lease)
        lease.handle = handle
        return .function(handle)
    }

    func value(of record: BufferRecord) throws(Failure) -> Value {
        switch record.place {
        case .live(let object):
            guard case .function(let function) = try value(of: object), let handle = function as? Handle else {
                throw Failure("wire/unreadable", "a live Buffer is an object of a session")
            }
            return .function(try router.buffer(record, handle, nil))
        case .segment(let reference, _):
            let lease = reference.owner == Self.meta ? nil : lease(reference)
            return .function(try router.buffer(record, nil, lease))
        case .inline: return .function(try router.buffer(record, nil, nil))
        }
    }

    func value(of record: TableRecord) throws(Failure) -> Value {
        guard let live = record.live else { return .function(try TableObject(record, router: router)) }
        guard case .function(let function) = try value(of: live), let handle = function as? Handle else {
            throw Failure("wire/unreadable", "a live Table is an object of a session")
        }
        return .function(try TableObject(record, live: handle, router: router))
    }

    func bytes(_ fields: Object, _ reference: Reference) throws(Failure) -> [UInt8] {
        if reference.owner == Self.meta { return try router.ownBytes(fields, try function(reference)) }
        return try router.bytes(fields, reference, lease(reference))
    }

    /// Meta's interest in an object, where it has any.
    func lease(of reference: Reference) -> Lease? { entries[reference]?.lease }

    /// Whether the object is still there for the lease.
    func has(_ lease: Lease) -> Bool {
        (try? check(lease)) != nil
    }

    func has(_ reference: Reference) -> Bool { (try? check(reference)) != nil }

    /// Contents of meta's own get a number, under which `make` publishes them; until they are sent they keep it.
    func published(_ make: (_ number: Int) throws(Failure) -> Publication) throws(Failure) -> Publication {
        let publication = try make(lastNumber + 1)
        _ = number(of: publication)
        return publication
    }

    func reference(of publication: Publication) -> Reference {
        let reference = Reference(owner: Self.meta, generation: 1, number: number(of: publication))
        unsent.append(reference)
        return reference
    }

    /// Meta's own function.
    func function(_ reference: Reference) throws(Failure) -> Function {
        guard let function = entries[reference]?.function else { throw stale(reference) }
        return function
    }

    /// - Throws: `session/stale-handle` for an object that was given back or whose owner has gone.
    func check(_ lease: Lease) throws(Failure) {
        guard !lease.isReleased else {
            throw Failure("session/stale-handle", "\(lease.reference.text) was released")
        }
        try check(lease.reference)
    }

    func check(_ reference: Reference) throws(Failure) {
        meet(reference.owner)
        guard entries[reference] != nil else { throw stale(reference) }
    }

    private func stale(_ reference: Reference) -> Failure {
        let name = Printer.sanitizedLine(reference.owner)
        if reference.owner == Self.meta {
            return Failure("session/stale-handle", "the function of meta was released, number \(reference.number)")
        }
        guard let current = generation(reference.owner) else {
            return Failure(
                "session/stale-handle",
                "the handle is of session \(name), generation \(reference.generation), which has ended",
                help: "what a session held is gone with it; make the object again")
        }
        guard current != reference.generation else {
            return Failure("session/stale-handle", "\(reference.text) was released")
        }
        return Failure(
            "session/stale-handle",
            "the handle is of session \(name), generation \(reference.generation); the session runs in generation \(current)",
            help: "what a session held is gone with a restart; make the object again")
    }

    // MARK: Report

    struct Row {
        let reference: Reference
        let record: ReferenceRecord?
        let received: Int
        /// By session, how often it was sent; meta's own interest is not in it.
        let holders: [(session: String, times: Int)]
        let isHeldByMeta: Bool
    }

    /// Everything that is held, by owner and number.
    func rows() -> [Row] {
        for session in Array(generations.keys) { meet(session) }
        settle()
        let sessions = held.keys.sorted()
        let order = { (a: Reference, b: Reference) in (a.owner, a.number) < (b.owner, b.number) }
        return entries.keys.sorted(by: order).compactMap { reference in
            guard let entry = entries[reference] else { return nil }
            let holders = sessions.compactMap { session in
                held[session]?[reference].map { (session: session, times: $0) }
            }
            let record = entry.function.map {
                ReferenceRecord(reference: reference, type: "function", repr: $0.signature, isCallable: true)
            }
            return Row(
                reference: reference, record: record ?? entry.lease?.handle?.record, received: entry.received,
                holders: holders, isHeldByMeta: entry.lease.map { !$0.isReleased } ?? false)
        }
    }
}
