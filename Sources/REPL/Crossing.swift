import Evaluator
import Language

/// What happens to each part of a value on its way to a runtime, said without sending it.
struct Crossing {
    enum Outcome: String {
        /// It arrives as that language's own, and comes home as it was.
        case exact
        /// That language has no such type: it is carried unchanged, as `meta.Tagged`.
        case tagged
        /// It arrives as a type that has no difference which meta has: it comes home equal, of another kind.
        case merged
        /// It stays where it is; what arrives is a proxy.
        case handle
        /// It does not cross.
        case error
    }

    /// How one part arrives: the type as the runtime's users say it, and what else there is to know.
    struct Arrival {
        let outcome: Outcome
        let type: String
        var note = ""

        static func exact(_ type: String, _ note: String = "") -> Arrival {
            Arrival(outcome: .exact, type: type, note: note)
        }

        static func tagged(_ note: String) -> Arrival {
            Arrival(outcome: .tagged, type: "meta.Tagged", note: note)
        }

        static func error(_ code: String, _ note: String) -> Arrival {
            Arrival(outcome: .error, type: code, note: note)
        }
    }

    /// A language's rules: how a part arrives, whatever is in it.
    typealias Rules = (Value) -> Arrival

    private let rules: Rules
    private let session: String
    private var rows: [Value] = []

    /// A row for each part, a container before its items.
    ///
    /// - Throws: `wire/unreadable` for data that cannot be read.
    static func rows(_ value: Value, to session: String, _ rules: @escaping Rules) throws(Failure) -> [Value] {
        var crossing = Crossing(rules: rules, session: session)
        try crossing.visit(value, path: "")
        return crossing.rows
    }

    private init(rules: @escaping Rules, session: String) {
        self.rules = rules
        self.session = session
    }

    private mutating func visit(_ value: Value, path: String) throws(Failure) {
        let data = try value.unwrapped()
        let arrival = arrival(data)
        rows.append(row(data, arrival, path))
        guard arrival.outcome != .error, arrival.outcome != .handle else { return }
        switch data {
        case .vector(let items), .list(let items): try visit(items.elements, path)
        case .object(let object):
            for (key, item) in object.entries { try visit(item, path: path + Self.step(.text(key.string))) }
        case .tagged(let tagged):
            if let entries = tagged.entries {
                for (key, item) in entries {
                    try visit(key, path: path + Self.step(key) + " key")
                    try visit(item, path: path + Self.step(key))
                }
            } else if tagged.tag != .bytes, let items = tagged.items {
                try visit(items, path)
            }
        default: break
        }
        try Limit.check(rows.count, Limit.items, "rows")
    }

    private mutating func visit(_ items: [Value], _ path: String) throws(Failure) {
        for (index, item) in items.enumerated() { try visit(item, path: path + "[\(index)]") }
    }

    private func arrival(_ data: Value) -> Arrival {
        guard case .function(let function) = data else { return rules(data) }
        if case .error = rules(data).outcome { return rules(data) }
        if let buffer = function as? BufferObject {
            return buffer.handle?.record.reference.owner == session
                ? .exact(buffer.foreignType, "the array itself: it lives there") : rules(data)
        }
        if let table = function as? TableObject {
            return table.handle?.record.reference.owner == session
                ? .exact(table.foreignType, "the table itself: it lives there") : .exact("meta.Table")
        }
        guard let handle = function as? Handle else {
            return Arrival(outcome: .handle, type: "meta.Handle", note: "a function of meta, called from there")
        }
        let owner = handle.record.reference.owner
        if owner == session { return .exact(handle.record.type, "the object itself: it lives there") }
        return Arrival(outcome: .handle, type: "meta.Handle", note: "it stays in \(owner)")
    }

    private func row(_ data: Value, _ arrival: Arrival, _ path: String) -> Value {
        .object(
            Object([
                "path": .text(path), "type": .text(Describe.kind(data)), "outcome": .text(arrival.outcome.rawValue),
                "arrives": .text(arrival.type), "note": arrival.note.isEmpty ? .null : .text(arrival.note),
            ]))
    }

    /// As the errors of kernels write paths: `.name`, or the key's form in brackets.
    private static func step(_ key: Value) -> String {
        if case .string(let text) = key, text.string.isName { return "." + text.string }
        return "[" + Printer.text(key, limit: 40) + "]"
    }
}

extension String {
    fileprivate var isName: Bool {
        guard let first = unicodeScalars.first, first == "_" || first.properties.isXIDStart else { return false }
        return unicodeScalars.allSatisfy { $0.properties.isXIDContinue }
    }
}
