import Evaluator
import Language
import Sessions
import Wire

/// Objects that stay with their runtimes: fetching, copying, sharing them, and what is held.
extension Router {
    func registerHandles() {
        registerCopies()
        registerQuestions()
        machine.register(
            Builtin(
                "(handles)", arity: 0...0, lineage: .plain,
                documentation: Documentation(
                    "What is held across runtimes, as objects: owner, ref, type, repr, holders ({session: times}, meta among them), received.",
                    examples: ["(type (handles)) => \"vector\""])
            ) { [unowned self] _ in .vector(Items(handles.rows().map(Self.row))) })
        machine.register(
            Builtin(
                "(release handle)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "Gives an object back to its runtime before the handle goes; using the handle is an error then.",
                    examples: ["(release (py:ref \"[1, 2]\")) => null"])
            ) { [unowned self] arguments throws(Failure) in
                guard let handle = try Handle.behind(arguments[0]) else {
                    throw arguments.wrong(0, "a handle")
                }
                try handles.check(handle.lease)
                handles.giveBack(handle.lease)
                sendReleases()
                return .null
            })
    }

    private func registerCopies() {
        machine.register(
            Control(
                "(fetch handle)", arity: 1...1,
                documentation: Documentation(
                    "The content of an object that stays with its runtime, as data: what can be gone through becomes a vector, a mapping an object, an instance an object of its fields. Data is itself.",
                    examples: ["(fetch [1 2]) => [1 2]", "(fetch (py:ref \"[1, 2]\")) => [1 2]"])
            ) { arguments, fiber throws(Failure) in
                guard let object = try RemoteObject.find(in: arguments[0]) else { return .value(arguments[0]) }
                return try object.ask(.copy, in: fiber)
            })
        machine.register(
            Control(
                "(copy value)", arity: 1...1,
                documentation: Documentation(
                    "A new object at the owner with the content of this one, as a handle. Data is its own copy.",
                    examples: ["(copy [1 2]) => [1 2]", "(fetch (copy (py:ref \"[1, 2]\"))) => [1 2]"])
            ) { [unowned self] arguments, fiber throws(Failure) in
                guard let handle = try Handle.behind(arguments[0]) else {
                    return .value(arguments[0])
                }
                let owner = handle.record.reference.owner
                guard let code = Self.copies[sessions.language(of: owner) ?? ""] else {
                    throw Failure("runtime/unsupported", "\(owner) has no way to copy an object that meta knows")
                }
                return try runtime(.text(owner)).hold(code, [("__meta_value__", arguments[0])], in: fiber)
            })
        machine.register(
            Control(
                "(share value lang)", arity: 2...2,
                documentation: Documentation(
                    "Puts a value into a runtime, and gives the handle of what it has become there.",
                    examples: ["(fetch (share [1 2] 'py)) => [1 2]"])
            ) { [unowned self] arguments, fiber throws(Failure) in
                try runtime(arguments[1]).hold("__meta_value__", [("__meta_value__", arguments[0])], in: fiber)
            })
    }

    /// How a language makes a new object like one it has.
    private static let copies = [
        "py": "__import__('copy').copy(__meta_value__)",
        "js": """
        (value => {
            if (typeof value === "function") return value;
            if (Array.isArray(value) || ArrayBuffer.isView(value)) return value.slice();
            if (value instanceof Map || value instanceof Set || value instanceof Date) return new value.constructor(value);
            return Object.assign(Object.create(Object.getPrototypeOf(value)), value);
        })(__meta_value__)
        """,
    ]

    private func registerQuestions() {
        machine.register(
            Control(
                "(members handle)", arity: 1...1,
                documentation: Documentation(
                    "The names of an object's attributes and methods, as its runtime lists them; of an object of meta its keys.",
                    examples: ["(members {a: 1}) => [\"a\"]", "(get (members (py:ref \"1j\")) 0) => \"conjugate\""])
            ) { [unowned self] arguments, _ in .call(library("keys"), [arguments[0]]) })
    }

    private static func row(_ row: HandleTable.Row) -> Value {
        var holders = Object.Entries()
        if row.isHeldByMeta { holders["meta"] = .int(1) }
        for (session, times) in row.holders { holders[Key(session)] = .int(times) }
        return .object(
            Object([
                "owner": .text(row.reference.owner), "ref": .int(row.reference.number),
                "type": row.record.map { .text($0.type) } ?? .null,
                "repr": row.record.map { .text($0.repr) } ?? .null, "holders": .object(Object(holders)),
                "received": .int(row.received),
            ]))
    }
}
