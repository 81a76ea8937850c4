import Evaluator
import Language
import Sessions
import Wire

/// Calls of one function of a session that are sent ahead of their answers.
final class Batch {
    let branch: Branch
    let session: String
    let request: Request
    /// What lineage calls each result's maker.
    let code: String
    let items: [Value]
    /// What each call is given besides its item.
    let given: Given
    private let keywordParents: [Int]
    let location: Location?
    /// What keeps the function alive.
    let target: Value

    /// The requests under way, by their first item.
    private(set) var open: [RequestID?]
    private(set) var openCount = 0
    private var firstOpen = 0
    /// The next item to be sent.
    var next = 0
    private var results: [Value]
    /// How many calls may be under way: as many as a session answers in a moment.
    private(set) var window = 8
    private var filled = ContinuousClock.now
    /// Whether nothing more is sent; whether what is under way is interrupted.
    var isOver = false
    var isStopped = false

    /// Requests for one call each that are under way at most.
    private static let widest = 64
    /// Calls that one request is for at most.
    private static let longest = 2048
    /// Whether the session takes many calls in one request.
    let isByMany: Bool

    init(
        _ branch: Branch, _ target: Callee, _ items: [Value], _ given: Given, location: Location?, isByMany: Bool
    ) {
        self.isByMany = isByMany
        self.branch = branch
        session = target.session
        request = target.request
        code = target.code
        self.target = target.value
        self.items = items
        self.given = given
        keywordParents = given.keywords.compactMap { if case .meta(let meta) = $0.1 { meta.number } else { nil } }
        self.location = location
        open = Array(repeating: nil, count: items.count)
        results = Array(repeating: .null, count: items.count)
    }

    /// The calls under way, in order.
    var requests: [RequestID] { open[firstOpen..<next].compactMap { $0 } }

    var isComplete: Bool { next == items.count && openCount == 0 }
    /// How many requests may be under way: of those for many calls one, while the session works on another.
    var width: Int { isByMany ? 2 : window }

    /// The items of the next request.
    func takeNext() -> Range<Int> {
        let range = next..<min(items.count, next + (isByMany ? window : 1))
        next = range.upperBound
        return range
    }
    var values: Value { .vector(Items(results)) }

    func note(_ id: RequestID, _ index: Int) {
        open[index] = id
        openCount += 1
    }

    func close(_ index: Int) {
        guard open[index] != nil else { return }
        open[index] = nil
        openCount -= 1
        while firstOpen < next, open[firstOpen] == nil { firstOpen += 1 }
    }

    func take(_ value: Value, _ index: Int) {
        results[index] = value
    }

    /// The ledger's entries that a call's result comes from.
    func parents(of index: Int) -> [Int] {
        if case .meta(let meta) = items[index] { keywordParents + [meta.number] } else { keywordParents }
    }

    /// Few calls of a slow function are under way, so that little is lost when it is interrupted.
    func widen() {
        let now = ContinuousClock.now
        if now - filled < .milliseconds(20) { window = min(window * 2, isByMany ? Self.longest : Self.widest) }
        if now - filled > .milliseconds(100) { window = max(window / 2, 2) }
        filled = now
    }
}

/// What a batch calls.
struct Callee {
    let session: String
    let request: Request
    let code: String
    let value: Value
}

/// `(map-in f xs)`: many calls, with no round trip for each.
extension Router {
    func registerBatches() {
        machine.register(
            Control(
                "(map-in f xs …:name value)", arity: 2...Int.max, forms: .path,
                documentation: Documentation(
                    "The results of calling a runtime's function with each item, in order. The calls are sent ahead of "
                        + "their answers, so many small ones take a fraction of the time. The first error ends it; a few "
                        + "calls behind it may have been made.",
                    examples: ["(map-in py.math.sqrt [1 4 9]) => [1.0 2.0 3.0]"])
            ) { [unowned self] arguments, fiber throws(Failure) in
                let items = try arguments.sequence(1)
                var given = try Given(arguments)
                guard given.positional.count == 2 else {
                    throw Failure("eval/arity", "map-in takes a function, a collection and keywords")
                }
                given.positional = []
                guard let callee = try callee(arguments[0]) else {
                    let call = given.keywords.isEmpty ? library("map") : .null
                    guard case .function = try arguments[0].unwrapped(), case .function = call else {
                        throw arguments.wrong(0, "a runtime's function")
                    }
                    return .call(call, [arguments[0], .vector(Items(items))])
                }
                if items.isEmpty { return .value(.vector(Items([]))) }
                let batch = Batch(
                    branch(of: fiber), callee, items, given, location: machine.location(of: fiber),
                    isByMany: sessions.operations(of: callee.session)?.contains("each") == true)
                return try start(batch)
            })
    }

    /// What can be called ahead: a path of a runtime, or an object of one. Where a program's own marshalling, or the
    /// shell's output, makes each call its own, nil.
    private func callee(_ value: Value) throws(Failure) -> Callee? {
        guard case .function(let function) = try value.unwrapped() else { return nil }
        if let handle = function as? Handle {
            try handles.check(handle.lease)
            var request = Request(.call)
            request.reference = handle.record.reference.number
            return Callee(
                session: handle.record.reference.owner, request: request, code: "\(handle.record.type)(…)", value: value
            )
        }
        guard let bound = function as? BoundPath, let runtime = bound.root as? Runtime, !bound.path.isEmpty,
            !sessions.isPlain(runtime.session), dispatch(runtime.session, "marshal") == nil
        else { return nil }
        return Callee(
            session: runtime.session, request: .call(bound.path), code: bound.path.joined(separator: ".") + "(…)",
            value: value)
    }

    private func start(_ batch: Batch) throws(Failure) -> Step {
        batch.branch.work = .batch(batch)
        do throws(Failure) {
            try submitNext(batch)
            try fill(batch)
        } catch {
            abandon(batch)
            batch.branch.work = .running
            throw error
        }
        return .suspend
    }

    /// Behind those who wait for the session.
    private func submitNext(_ batch: Batch) throws(Failure) {
        let range = batch.takeNext()
        let (request, body) = try call(range, of: batch)
        try submit(request, body: body, to: batch.session, for: waiting(for: range, of: batch))
    }

    private func call(_ range: Range<Int>, of batch: Batch) throws(Failure) -> (Request, [UInt8]) {
        var given = batch.given
        given.positional = Array(batch.items[range])
        let body = try encode(given, for: batch.session, isEach: batch.isByMany)
        var request = batch.request
        request.references = body.references
        request.isEach = batch.isByMany
        return (request, body.bytes)
    }

    private func waiting(for range: Range<Int>, of batch: Batch) -> Waiting {
        let parents = batch.isByMany ? [] : batch.parents(of: range.lowerBound)
        return Waiting(
            waiter: .batch(batch, range.lowerBound), strand: batch.branch.fiber?.context as? Strand,
            location: batch.location,
            session: batch.session, code: batch.code, parents: parents, start: Clock.now)
    }

    /// Sends as many calls as may be under way; others who wait for the session come first.
    private func fill(_ batch: Batch) throws(Failure) {
        guard batch.openCount > 0, !batch.isOver, queues[batch.session] == nil else { return }
        sessions.hold(batch.session)
        defer { sessions.flush(batch.session) }
        while batch.openCount < batch.width, batch.next < batch.items.count {
            let range = batch.takeNext()
            var (request, body) = try call(range, of: batch)
            let waiting = waiting(for: range, of: batch)
            request.upcall = upcall(for: waiting)
            try send(request, body: body, captures: false, for: waiting)
            handles.send(request.references, to: batch.session)
        }
    }

    /// Takes the end of one call.
    func take(_ outcome: Outcome, _ index: Int, of batch: Batch) {
        batch.close(index)
        // A kernel drops an interrupt that comes between two requests.
        if batch.isStopped, let next = batch.requests.first { nudge(next, after: .milliseconds(5)) }
        if batch.isOver { return }
        var failed: Int? = index
        do throws(Failure) {
            switch outcome {
            case .reply(let reply, let body, let output, let tail, let entry):
                if batch.isByMany {
                    try take(try handles.decode(body, reply.references), index, of: batch, entry)
                } else {
                    batch.take(try value(of: reply, body, output, tail, entry), index)
                }
            case .failure(let error, let body):
                failed = index + (error.index ?? 0)
                throw thrown(error, body, session: batch.session)
            case .lost(let diagnostic):
                if batch.isByMany { failed = nil }
                throw machine.failure(diagnostic)
            }
            if batch.isComplete { return wake(batch.branch, .value(batch.values)) }
            if batch.openCount <= batch.width / 2 { try goOn(batch) }
        } catch {
            let diagnostic = machine.diagnostic(error)
            if diagnostic.code != Machine.interrupted.code, let failed {
                diagnostic.append(help: "this is item \(failed) of \(batch.items.count), counted from 0")
            }
            batch.isOver = true
            wake(batch.branch, .failure(diagnostic))
        }
    }

    private func goOn(_ batch: Batch) throws(Failure) {
        batch.widen()
        if batch.openCount > 0 { return try fill(batch) }
        guard batch.next < batch.items.count else { return }
        try submitNext(batch)
        try fill(batch)
    }

    /// Takes the results of many calls.
    private func take(
        _ results: Value, _ first: Int, of batch: Batch, _ entry: (String) -> Ledger.Entry
    ) throws(Failure) {
        guard case .vector(let results) = results, first + results.elements.count <= batch.next else {
            throw Failure("wire/unreadable", "the answer to many calls is a vector of their results")
        }
        let common = entry("")
        for (offset, result) in results.elements.enumerated() {
            if case .null = result { continue }
            let entry = Ledger.Entry(
                source: common.source, code: common.code, foreignType: "", location: common.location,
                start: common.start, duration: nil, parents: batch.parents(of: first + offset),
                summary: Describe.summary(result))
            batch.take(wrap(result, entry), first + offset)
        }
    }

    /// Sends no more; what is under way is not waited for.
    func abandon(_ batch: Batch) {
        batch.isOver = true
        for entry in queues[batch.session] ?? [] where entry.waiting.isFor(batch) { drop(entry) }
    }

    func stop(_ batch: Batch) {
        batch.isStopped = true
        let requests = batch.requests
        if requests.isEmpty { return give(batch.branch.fiber, Machine.interrupted) }
        // Where one runs at a time it is the first; the others are interrupted when their turn comes.
        for id in servesMany(batch.session) ? requests[...] : requests.prefix(1) { interrupt(id) }
    }
}
