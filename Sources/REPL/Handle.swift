import Evaluator
import Language
import Sessions
import Wire

/// An object of a session as a value of meta: `(h 1 2)` calls it, `h.attr` and `(.method h x)` reach into it, `(get h k)`
/// gives an item. Its session does the work.
final class Handle: RemoteObject {
    /// As its owner last described it.
    var record: ReferenceRecord
    let lease: Lease
    /// The ledger's entry of the value that it came as first.
    var number: Int?
    private unowned let router: Router

    init(_ record: ReferenceRecord, _ lease: Lease, router: Router) {
        self.record = record
        self.lease = lease
        self.router = router
        super.init(name: record.type, signature: "(\(Printer.sanitizedLine(record.type)) …)")
    }

    override var form: String { record.form }
    override var isCallable: Bool { record.isCallable }

    private var owner: String { record.reference.owner }

    // MARK: Calls and attributes

    override func call(_ path: [String], _ arguments: inout Arguments, in fiber: Fiber) throws(Failure) -> Step {
        let given = try Given(arguments)
        let body = try router.encode(given, for: owner)
        return try submit(Request(.call, path: path.isEmpty ? nil : path), body, given.parents, fiber, code: path)
    }

    override func fetch(_ path: [String], in fiber: Fiber) throws(Failure) -> Step {
        try submit(Request(.get, path: path), Body(), [], fiber, code: path)
    }

    override func assign(_ path: [String], _ value: Value, in fiber: Fiber) throws(Failure) -> Step {
        let body = try router.encode(value, for: owner)
        return try ask(Request(.set, path: path), body, fiber) { _, _, _ in value }
    }

    // MARK: Questions

    override func ask(_ question: Question, in fiber: Fiber) throws(Failure) -> Step {
        var request: Request
        switch question {
        case .item(let key):
            request = Request(.get)
            request.isItem = true
            return try submit(
                request, try router.encode(key, for: owner), [], fiber, code: ["[\(Describe.short(key))]"])
        case .setItem(let path, let key, let value):
            request = Request(.set, path: path.isEmpty ? nil : path)
            request.isItem = true
            let body = try router.encode(.vector(Items([key, value])), for: owner)
            return try ask(request, body, fiber) { _, _, _ in value }
        case .copy:
            request = Request(.get)
            request.copies = true
            return try submit(request, Body(), [], fiber, code: ["fetch"])
        case .equality(let other):
            let body = try router.encode(other, for: owner)
            let router = router
            return try ask(Request(.equal), body, fiber) { reply, body, _ throws(Failure) in
                guard case .bool(let isEqual) = try router.handles.decode(body, reply.references) else {
                    throw Failure("wire/unreadable", "an answer to equal is true or false")
                }
                return .bool(isEqual)
            }
        case .items(let count):
            request = Request(.items)
            request.count = count
            let router = router
            return try ask(request, Body(), fiber) { reply, body, entry throws(Failure) in
                try router.items(reply, body, entry)
            }
        case .length, .members, .documentation: return try inspect(question, fiber)
        }
    }

    private func inspect(_ question: Question, _ fiber: Fiber) throws(Failure) -> Step {
        let router = router
        let form = form
        return try ask(Request(.inspect), Body(), fiber) { reply, body, entry throws(Failure) in
            guard case .object(let report) = try router.handles.decode(body, reply.references) else {
                throw Failure("wire/unreadable", "what the session says of an object is not an object")
            }
            switch question {
            case .members: return report["members"] ?? .vector(Items([]))
            case .documentation: return report["doc"] ?? .null
            default: break
            }
            guard case .int(let length)? = report["length"] else {
                throw Failure("eval/type", "\(form) has no length")
            }
            let found = entry(length.description)
            return router.wrap(
                .int(length),
                Ledger.Entry(
                    source: found.source, code: found.code, location: found.location, start: found.start,
                    duration: found.duration, parents: found.parents, summary: found.summary))
        }
    }

    // MARK: Requests

    private func submit(
        _ request: Request, _ body: Body, _ parents: [Int], _ fiber: Fiber, code: [String]
    ) throws(Failure) -> Step {
        let router = router
        let text = ([record.type] + code).joined(separator: ".") + (request.operation == .call ? "(…)" : "")
        return try ask(request, body, fiber, parents: parents, code: text) { reply, body, entry throws(Failure) in
            try router.value(of: reply, body, nil, "", entry)
        }
    }

    func ask(
        _ request: Request, _ body: Body, _ fiber: Fiber, parents: [Int] = [], code: String? = nil,
        _ finish: @escaping (Reply, [UInt8], (String) -> Ledger.Entry) throws(Failure) -> Value
    ) throws(Failure) -> Step {
        try router.handles.check(lease)
        var request = request
        request.reference = record.reference.number
        request.references = body.references
        let router = router
        let owner = owner
        return try router.submit(
            request, body: body.bytes, to: owner, for: fiber, parents: (number.map { [$0] } ?? []) + parents,
            code: code ?? "\(record.type).\(request.operation.rawValue)"
        ) { outcome throws(Failure) in
            switch outcome {
            case .reply(let reply, let body, _, _, let entry): return try finish(reply, body, entry)
            case .failure(let error, let body): throw router.thrown(error, body, session: owner)
            case .lost(let diagnostic): throw router.machine.failure(diagnostic)
            }
        }
    }
}
