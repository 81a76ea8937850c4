import Language

/// What meta asks of a kernel. The values that go with it are the frame's body.
public struct Request: Equatable, Sendable {
    public enum Operation: String, Codable, Sendable {
        case eval, call, get, set, complete, status, items, inspect, equal, publish, cancel
        case importModule = "import"
    }

    public var operation: Operation
    /// Source text (`eval`, `complete`).
    public var code: String?
    /// What the code is called in tracebacks, such as `<py 3>` (`eval`).
    public var name: String?
    /// Names from a global inwards (`call`, `get`, `set`, `import`).
    public var path: [String]?
    /// The name that an imported module is bound to.
    public var alias: String?
    /// Unicode scalars in front of the cursor (`complete`).
    public var cursor: Int?
    /// The receiver's own number of the object that is asked; `path` then begins at it.
    public var reference: Int?
    /// Whether an item is meant instead of an attribute (`get`, `set`): its key is in the body.
    public var isItem = false
    /// Whether each of the arguments is one call's, and the result a vector of theirs (`call`).
    public var isEach = false
    /// Whether the result stays where it is and crosses as a reference.
    public var holds = false
    /// Whether the result crosses as a copy, whatever its type.
    public var copies = false
    /// For whom the result is, where that is not meta.
    public var share: Share?
    /// How many items at most (`items`), or the request that is to end (`cancel`).
    public var count: Int?
    /// Every object that the body names.
    public var references: [Reference] = []
    /// The upcall on whose behalf this is asked; the kernel's thread that waits for it answers.
    public var upcall: Int?

    /// What a result's arrays become.
    public enum Share: String, Sendable {
        /// It goes on to a runtime that reads segments: arrays are published.
        case publish
        /// It goes on to one that does not: arrays cross as references, bytes and texts as JSON.
        case reference = "none"
    }

    public init(
        _ operation: Operation, code: String? = nil, name: String? = nil, path: [String]? = nil, alias: String? = nil,
        cursor: Int? = nil
    ) {
        self.operation = operation
        self.code = code
        self.name = name
        self.path = path
        self.alias = alias
        self.cursor = cursor
    }

    public static func eval(_ code: String, name: String) -> Request { Request(.eval, code: code, name: name) }
    public static func call(_ path: [String]) -> Request { Request(.call, path: path) }
    public static func get(_ path: [String]) -> Request { Request(.get, path: path) }
    public static func set(_ path: [String]) -> Request { Request(.set, path: path) }
    public static func complete(_ code: String, cursor: Int) -> Request {
        Request(.complete, code: code, cursor: cursor)
    }

    /// What a person calls it: its code, or its path.
    public var summary: String {
        code ?? path?.joined(separator: ".") ?? operation.rawValue
    }

    /// The header of this request's frame, for a kernel that reads JSON or for one that reads plain fields.
    public func header(id: RequestID, plain: Bool) -> [UInt8] {
        plain ? plainHeader(id) : jsonHeader(id)
    }

    /// Written by hand: a call's header costs more than the rest of the call through JSONEncoder. A test holds it
    /// equal to what JSONEncoder makes.
    private func jsonHeader(_ id: RequestID) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(64 + (code?.utf8.count ?? 0))
        out.append(contentsOf: "{\"op\":\"\(operation.rawValue)\",\"id\":\(id.number)".utf8)
        if let code { JSONText.appendMember("code", code, to: &out) }
        if let name { JSONText.appendMember("name", name, to: &out) }
        if let path {
            out.append(contentsOf: ",\"path\":[".utf8)
            for (index, part) in path.enumerated() {
                if index > 0 { out.append(44) }
                JSONText.appendString(part, to: &out)
            }
            out.append(93)
        }
        if let alias { JSONText.appendMember("as", alias, to: &out) }
        if let cursor { out.append(contentsOf: ",\"cursor\":\(cursor)".utf8) }
        if let reference { out.append(contentsOf: ",\"ref\":\(reference)".utf8) }
        if let count { out.append(contentsOf: ",\"count\":\(count)".utf8) }
        if isItem { out.append(contentsOf: ",\"item\":true".utf8) }
        if isEach { out.append(contentsOf: ",\"each\":true".utf8) }
        if holds { out.append(contentsOf: ",\"hold\":true".utf8) }
        if copies { out.append(contentsOf: ",\"copy\":true".utf8) }
        if let share { out.append(contentsOf: ",\"share\":\"\(share.rawValue)\"".utf8) }
        if let upcall { out.append(contentsOf: ",\"in\":\(upcall)".utf8) }
        JSONText.appendReferences(references, to: &out)
        out.append(125)
        return out
    }

    private func plainHeader(_ id: RequestID) -> [UInt8] {
        var fields = ["op", operation.rawValue, "id", String(id.number)]
        if let code { fields += ["code", code] }
        if let name { fields += ["name", name] }
        if let path { fields += ["path", path.joined(separator: ".")] }
        if let alias { fields += ["as", alias] }
        if let cursor { fields += ["cursor", String(cursor)] }
        if let upcall { fields += ["in", String(upcall)] }
        return PlainFields.encode(fields)
    }
}

/// One request of one meta; never used twice.
public struct RequestID: Hashable, Sendable, Comparable {
    public let number: Int
    public init(_ number: Int) { self.number = number }
    public static func < (a: RequestID, b: RequestID) -> Bool { a.number < b.number }
}

/// The writer's half of JSON that headers need.
enum JSONText {
    /// The list of what a body refers to; nothing where it refers to nothing.
    static func appendReferences(_ references: [Reference], to out: inout [UInt8]) {
        guard !references.isEmpty else { return }
        out.append(contentsOf: ",\"refs\":[".utf8)
        for (index, reference) in references.enumerated() {
            if index > 0 { out.append(44) }
            appendReference(reference, to: &out)
        }
        out.append(93)
    }

    static func appendReference(_ reference: Reference, times: Int? = nil, to out: inout [UInt8]) {
        out.append(91)
        appendString(reference.owner, to: &out)
        out.append(contentsOf: ",\(reference.generation),\(reference.number)".utf8)
        if let times { out.append(contentsOf: ",\(times)".utf8) }
        out.append(93)
    }

    static func appendMember(_ name: StaticString, _ value: String, to out: inout [UInt8]) {
        out.append(contentsOf: ",\"\(name)\":".utf8)
        appendString(value, to: &out)
    }

    static func appendString(_ text: String, to out: inout [UInt8]) {
        out.append(34)
        for byte in text.utf8 {
            switch byte {
            case 34, 92: out += [92, byte]
            case 10: out += [92, 110]
            case 0..<32: out.append(contentsOf: ((byte < 16 ? "\\u000" : "\\u00") + String(byte, radix: 16)).utf8)
            default: out.append(byte)
            }
        }
        out.append(34)
    }
}
