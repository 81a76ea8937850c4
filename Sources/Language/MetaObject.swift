/// A value with where it came from. It computes and prints as its data.
public final class MetaObject {
    /// The session that made it, `meta` for a value that meta computed.
    public let source: String
    /// Its entry in the ledger.
    public let number: Int
    private var state: State

    private enum State {
        case encoded([UInt8])
        case decoded(Value)
    }

    /// - Parameter body: the envelope's JSON text, decoded on first look.
    public init(source: String, number: Int, body: [UInt8]) {
        self.source = source
        self.number = number
        self.state = .encoded(body)
    }

    /// - Parameter data: never itself a MetaObject.
    public init(source: String, number: Int, data: Value) {
        self.source = source
        self.number = number
        self.state = .decoded(data)
    }

    /// The data.
    ///
    /// - Throws: `wire/unreadable` when what the session sent is not a value.
    public func data() throws(Failure) -> Value {
        switch state {
        case .decoded(let value): return value
        case .encoded(let body):
            let value = try Envelope.decode(body)
            state = .decoded(value)
            return value
        }
    }

    /// The encoded value as it came, while nobody has looked inside.
    public var body: [UInt8]? {
        if case .encoded(let bytes) = state { bytes } else { nil }
    }

    var depth: Int {
        if case .decoded(let value) = state { value.depth } else { 0 }
    }
}

extension Value {
    /// The data of a MetaObject, any other value itself.
    public func unwrapped() throws(Failure) -> Value {
        if case .meta(let meta) = self { return try meta.data() }
        return self
    }
}
