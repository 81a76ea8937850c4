/// A value with where it came from. It computes and prints as its data.
public final class MetaObject {
    /// The session that made it, `meta` for a value that meta computed.
    public let source: String
    /// Its entry in the ledger.
    public let number: Int
    private var state: State
    private var isChecked = false

    private enum State {
        case encoded(Parcel)
        case decoded(Value)
    }

    /// - Parameter parcel: the envelope's JSON text, decoded on first look.
    public init(source: String, number: Int, parcel: Parcel) {
        self.source = source
        self.number = number
        self.state = .encoded(parcel)
    }

    public convenience init(source: String, number: Int, body: [UInt8]) {
        self.init(source: source, number: number, parcel: Parcel(body: body))
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
        case .encoded(let parcel):
            let value = try parcel.decoded()
            state = .decoded(value)
            return value
        }
    }

    /// The encoded value as it came, while nobody has looked inside.
    public var body: [UInt8]? {
        if case .encoded(let parcel) = state { parcel.body } else { nil }
    }

    /// What came, when nobody has looked inside and it may stand inside another text.
    ///
    /// - Throws: `wire/unreadable` when it is not one value.
    func checkedParcel() throws(Failure) -> Parcel? {
        guard case .encoded(let parcel) = state else { return nil }
        guard isChecked || BodyScan.isOneValue(parcel.body) else {
            throw Failure("wire/unreadable", "what the session \(source) sent is not one value")
        }
        isChecked = true
        return parcel
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
