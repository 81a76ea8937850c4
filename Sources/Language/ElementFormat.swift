/// What one item of an array is, by its name on the wire: little-endian, a bool one byte of 0 or 1, a complex number its
/// real and then its imaginary part.
public enum ElementFormat: String, CaseIterable, Sendable {
    case bool
    case int8
    case int16
    case int32
    case int64
    case uint8
    case uint16
    case uint32
    case uint64
    case float16
    case float32
    case float64
    case complex64
    case complex128

    /// What its items are, whatever their size.
    public enum Kind: Sendable {
        case boolean
        case signed
        case unsigned
        case float
        case complex
    }

    /// - Throws: `buffer/format` for any other name, with the names that there are.
    public init(name: String) throws(Failure) {
        guard let format = Self(rawValue: name) else {
            throw Failure(
                "buffer/format", "\(Printer.quoted(String(name.prefix(40)))) is no format of items",
                help: "the formats are \(Self.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = format
    }

    /// Bytes of an item.
    public var size: Int {
        switch self {
        case .bool, .int8, .uint8: 1
        case .int16, .uint16, .float16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64, .complex64: 8
        case .complex128: 16
        }
    }

    public var kind: Kind {
        switch self {
        case .bool: .boolean
        case .int8, .int16, .int32, .int64: .signed
        case .uint8, .uint16, .uint32, .uint64: .unsigned
        case .float16, .float32, .float64: .float
        case .complex64, .complex128: .complex
        }
    }

    /// Whether items are whole numbers; a bool is none.
    public var isInteger: Bool { kind == .signed || kind == .unsigned }
    public var isFloat: Bool { kind == .float }
    public var isComplex: Bool { kind == .complex }

    /// The format of a complex number's parts; any other format itself.
    public var part: ElementFormat {
        switch self {
        case .complex64: .float32
        case .complex128: .float64
        default: self
        }
    }
}

extension ElementFormat {
    /// The format that the items of two arrays meet in: the smallest that holds those of both, as in NumPy.
    ///
    /// A float of the same format or the next larger one for an integer that it holds exactly (`int8`, `uint8` with
    /// float16; 16 bits with float32), else float64. One difference: `uint64` and a signed format meet in `int64`, where
    /// what does not fit is an error, not in a float that rounds.
    public func promoted(with other: ElementFormat) -> ElementFormat {
        if self == other { return self }
        let (low, high) = kind.rank <= other.kind.rank ? (self, other) : (other, self)
        switch (low.kind, high.kind) {
        case (.boolean, _): return high
        case (.signed, .signed), (.unsigned, .unsigned), (.float, .float), (.complex, .complex):
            return low.size > high.size ? low : high
        case (.unsigned, .signed): return low.size < high.size ? high : .signed(ofSize: low.size * 2)
        case (_, .float): return low.float.size > high.size ? low.float : high
        case (_, .complex): return low.float == .float64 ? .complex128 : high
        default: return high
        }
    }

    /// The smallest float that holds every item exactly; float64 for 64 bits.
    private var float: ElementFormat {
        switch self {
        case .bool, .int8, .uint8, .float16: .float16
        case .int16, .uint16, .float32, .complex64: .float32
        case .int32, .int64, .uint32, .uint64, .float64, .complex128: .float64
        }
    }

    private static func signed(ofSize size: Int) -> ElementFormat {
        switch size {
        case 1: .int8
        case 2: .int16
        case 4: .int32
        default: .int64
        }
    }
}

extension ElementFormat.Kind {
    fileprivate var rank: Int {
        switch self {
        case .boolean: 0
        case .unsigned: 1
        case .signed: 2
        case .float: 3
        case .complex: 4
        }
    }
}
