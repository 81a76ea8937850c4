import BigInt
import Language

/// A value of meta that an item can be.
enum Scalar {
    case bool(Bool)
    case integer(BigInt)
    case int(Int64)
    case float(Double)
    case complex(Complex<Double>)

    /// - Throws: `eval/type` for anything that is no number or bool, with its path.
    init(_ value: Value, at path: [Int]) throws(Failure) {
        switch try value.unwrapped() {
        case .bool(let flag): self = .bool(flag)
        case .int(let int): self = .int(Int64(int))
        case .big(let big): self = .integer(big.value)
        case .double(let double): self = .float(double)
        case .tagged(let tagged) where tagged.tag == .complex:
            self = .complex(Complex(Self.part(tagged.fields["re"]), Self.part(tagged.fields["im"])))
        default:
            throw Failure(
                "eval/type",
                "an array's items are numbers or bools, got \(Printer.text(value, limit: 40))\(path.placeText)")
        }
    }

    private static func part(_ value: Value?) -> Double {
        switch value {
        case .double(let double)?: double
        case .int(let int)?: Double(int)
        default: 0
        }
    }

    /// The format that holds it, of those that arrays are made in unasked; nil for an integer beyond 64 bits.
    var format: ElementFormat? {
        switch self {
        case .bool: .bool
        case .int: .int64
        case .integer(let big): UInt64(exactly: big) != nil ? .uint64 : nil
        case .float: .float64
        case .complex: .complex128
        }
    }

    var value: Value {
        switch self {
        case .bool(let flag): .bool(flag)
        case .int(let int): .int(Int(int))
        case .integer(let big): .integer(big)
        case .float(let double): .double(double)
        case .complex(let complex): complex.value
        }
    }

    /// The item of a format.
    ///
    /// - Throws: `eval/type` for a bool among numbers or a number among bools; `eval/overflow` for what does not fit.
    func element<T: Element>(_ type: T.Type, at path: [Int]) throws(Failure) -> T {
        let item: (T, Bool)
        switch self {
        case .bool(let flag):
            guard T.format == .bool else { throw wrongKind(T.format, path) }
            item = T.narrowed(flag ? Int64(1) : 0)
        case .int(let int): item = T.narrowed(int)
        case .integer(let big):
            // A float takes the nearest number, as it does from an array; any other format no more than 64 bits.
            if let unsigned = UInt64(exactly: big) {
                item = T.narrowed(unsigned)
            } else {
                let double = Double(big)
                item = T.narrowed(double)
                if T.format.kind != .float && T.format.kind != .complex || double.isInfinite {
                    throw .misfit(value, T.format, at: path)
                }
            }
        case .float(let double): item = T.narrowed(double)
        case .complex(let complex): item = T.narrowed(complex)
        }
        if T.format == .bool, self.format != .bool { throw wrongKind(T.format, path) }
        guard item.1 else { throw .misfit(value, T.format, at: path) }
        return item.0
    }

    private func wrongKind(_ format: ElementFormat, _ path: [Int]) -> Failure {
        Failure(
            "eval/type",
            "an item of format \(format.rawValue) is a \(format == .bool ? "bool" : "number"), got "
                + "\(Printer.text(value, limit: 40))\(path.placeText)")
    }
}

extension [Int] {
    /// " at [1 2]", nothing for no index.
    var placeText: String {
        isEmpty ? "" : " at [\(map(String.init).joined(separator: " "))]"
    }
}

extension Failure {
    /// A number that a format does not hold.
    static func misfit(_ value: Value, _ format: ElementFormat, at index: [Int]) -> Failure {
        Failure("eval/overflow", "\(Printer.text(value, limit: 60))\(index.placeText) does not fit \(format.rawValue)")
    }
}

extension ArrayLayout {
    /// The index of the item of that number in C order.
    static func index(ofItem number: Int, in shape: [Int]) -> [Int] {
        var (rest, index) = (number, [Int](repeating: 0, count: shape.count))
        for axis in shape.indices.reversed() where shape[axis] > 0 {
            index[axis] = rest % shape[axis]
            rest /= shape[axis]
        }
        return index
    }
}
