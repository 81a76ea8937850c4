import BigInt
import Language

/// Comparing item by item and as a whole. Numbers of all formats compare exactly, as they do in meta.
extension NumericArray {
    /// An array of bools: whether the comparison holds for the items of both, one from each. At least one is an array. A bool
    /// counts as 0 or 1.
    ///
    /// A number of meta is compared as it is, not as the array's format would round it: 0.1 is no item of float32.
    ///
    /// - Throws: `eval/type` for what is no number, or an order of complex numbers; `eval/overflow` for an integer between
    ///   two floats that is larger than 64 bits; `buffer/shape`, `buffer/range`, `buffer/memory`.
    public static func compare(_ comparison: Comparison, _ a: Operand, _ b: Operand) throws(Failure) -> NumericArray {
        let (a, b) = (try a.compared(to: b), try b.compared(to: a))
        guard !comparison.isOrder || !a.format.isComplex && !b.format.isComplex else {
            throw Failure("eval/type", "\(comparison.rawValue) takes no complex numbers: they have no order")
        }
        let shape = try ArrayLayout.commonShape(a.layout, b.layout)
        if let format = ElementFormat.exact(a.format, b.format) {
            return try format.accept(arithmetic: Comparing(comparison: comparison, a: a, b: b, shape: shape))
        }
        return try mixed(comparison, a, b, shape)
    }

    /// Formats that have no common one: 64-bit integers with others.
    private static func mixed(
        _ comparison: Comparison, _ a: NumericArray, _ b: NumericArray, _ shape: [Int]
    ) throws(Failure) -> NumericArray {
        switch (a.format.kind, b.format.kind) {
        case (.signed, .unsigned): try order(comparison, a, b, shape, Order.of as (Int64, UInt64) -> Order)
        case (.signed, .float): try order(comparison, a, b, shape, Order.of as (Int64, Double) -> Order)
        case (.unsigned, .float): try order(comparison, a, b, shape, Order.of as (UInt64, Double) -> Order)
        case (.signed, .complex): try order(comparison, a, b, shape, Order.of as (Int64, Complex<Double>) -> Order)
        case (.unsigned, .complex): try order(comparison, a, b, shape, Order.of as (UInt64, Complex<Double>) -> Order)
        default: try mixed(comparison.flipped, b, a, shape)
        }
    }

    private static func order<A: Element, B: Element>(
        _ comparison: Comparison, _ a: NumericArray, _ b: NumericArray, _ shape: [Int], _ order: (A, B) -> Order
    ) throws(Failure) -> NumericArray {
        try zip(a, as: A.self, b, as: B.self, shape: shape) { (x, y, out: UnsafeMutablePointer<Flag>, count, _) in
            for item in 0..<count { out[item] = Flag(order(x[item], y[item]).satisfies(comparison)) }
        }
    }

    /// Whether both have the same shape and equal items, exactly: whatever their formats are, but a bool is no number. NaN
    /// is equal to nothing.
    ///
    /// - Throws: `buffer/memory`.
    public func isEqual(to other: NumericArray) throws(Failure) -> Bool {
        guard shape == other.shape, count == 0 || (format == .bool) == (other.format == .bool) else { return false }
        return try NumericArray.compare(.equal, .array(self), .array(other)).reduced(.all).isTrue
    }
}

extension Operand {
    /// The operand as an array for a comparison. A number of meta has the other's format where that holds it exactly.
    fileprivate func compared(to other: Operand) throws(Failure) -> NumericArray {
        guard case .value(let value) = self else {
            if case .array(let array) = self { return array }
            throw Failure("eval/type", "a comparison takes arrays and numbers")
        }
        let scalar = try Scalar(value, at: [])
        if case .array(let array) = other, scalar.isExact(in: array.format) {
            return try NumericArray(values: value, format: array.format)
        }
        if case .integer(let big) = scalar, scalar.format == nil {
            return try NumericArray(values: .double(try Self.bound(big, beside: other)))
        }
        return try NumericArray(values: value)
    }

    /// A float in the place of an integer beyond 64 bits.
    private static func bound(_ big: BigInt, beside other: Operand) throws(Failure) -> Double {
        // Beyond all whole numbers of any format, one bound is as good as another.
        if case .array(let array) = other, !array.format.isFloat, !array.format.isComplex {
            return big.sign == .minus ? -.infinity : .infinity
        }
        let double = Double(big)
        guard BigInt(exactly: double) == big else { throw .misfit(.integer(big), .float64, at: []) }
        return double
    }
}

extension Scalar {
    fileprivate func isExact(in format: ElementFormat) -> Bool {
        switch self {
        case .bool: return format == .bool
        case .int(let int):
            guard format.isInteger || format.isFloat else { return false }
            return exactly(format, Double(int), isWhole: Int64(exactly: Double(int)) == int)
        case .float(let double): return format.isFloat && exactly(format, double, isWhole: true)
        case .integer, .complex: return false
        }
    }

    private func exactly(_ format: ElementFormat, _ double: Double, isWhole: Bool) -> Bool {
        switch format {
        case .float16: isWhole && (Double(Float16(double)) == double || double.isNaN)
        case .float32: isWhole && (Double(Float(double)) == double || double.isNaN)
        case .float64: isWhole
        default: (try? NumericArray(values: value, format: format)) != nil
        }
    }
}

extension ElementFormat {
    /// The format that the items of both have one value in; nil where there is none.
    fileprivate static func exact(_ a: ElementFormat, _ b: ElementFormat) -> ElementFormat? {
        if a == b { return a }
        let common = a.promoted(with: b)
        let isLong = [a, b].contains { $0 == .int64 || $0 == .uint64 }
        switch common.kind {
        case .float, .complex: return isLong ? nil : common
        case .signed: return [a, b].contains(.uint64) ? nil : common
        case .boolean, .unsigned: return common
        }
    }
}

private struct Comparing: ArithmeticVisitor {
    let comparison: Comparison
    let a: NumericArray
    let b: NumericArray
    let shape: [Int]

    func visit<T: Arithmetic>(_ type: T.Type) throws(Failure) -> NumericArray {
        try NumericArray.zip(a, b, as: T.self, shape: shape) { (x, y, out: UnsafeMutablePointer<Flag>, count, _) in
            switch comparison {
            case .equal: for item in 0..<count { out[item] = Flag(T.isEqual(x[item], y[item])) }
            case .notEqual: for item in 0..<count { out[item] = Flag(!T.isEqual(x[item], y[item])) }
            case .less: for item in 0..<count { out[item] = Flag(T.isLess(x[item], y[item])) }
            case .greater: for item in 0..<count { out[item] = Flag(T.isLess(y[item], x[item])) }
            case .lessOrEqual:
                for item in 0..<count { out[item] = Flag(T.isLess(x[item], y[item]) || T.isEqual(x[item], y[item])) }
            case .greaterOrEqual:
                for item in 0..<count { out[item] = Flag(T.isLess(y[item], x[item]) || T.isEqual(x[item], y[item])) }
            }
        }
    }
}

/// How two numbers stand to each other.
private enum Order {
    case less
    case equal
    case greater
    case unordered

    func satisfies(_ comparison: Comparison) -> Bool {
        switch comparison {
        case .equal: self == .equal
        case .notEqual: self != .equal
        case .less: self == .less
        case .lessOrEqual: self == .less || self == .equal
        case .greater: self == .greater
        case .greaterOrEqual: self == .greater || self == .equal
        }
    }

    static func of(_ a: Int64, _ b: UInt64) -> Order { of(whole: a, b) }

    private static func of<A: BinaryInteger, B: BinaryInteger>(whole a: A, _ b: B) -> Order {
        a < b ? .less : a > b ? .greater : .equal
    }

    /// Rounding keeps the order: only where the rounded integer meets the float do their last digits decide.
    static func of(_ a: Int64, _ b: Double) -> Order {
        let rounded = Double(a)
        if rounded != b { return rounded < b ? .less : rounded > b ? .greater : .unordered }
        return Int64(exactly: b).map { of(whole: a, $0) } ?? .less
    }

    static func of(_ a: UInt64, _ b: Double) -> Order {
        let rounded = Double(a)
        if rounded != b { return rounded < b ? .less : rounded > b ? .greater : .unordered }
        return UInt64(exactly: b).map { of(whole: a, $0) } ?? .less
    }

    static func of(_ a: Int64, _ b: Complex<Double>) -> Order { b.im == 0 ? of(a, b.re) : .unordered }
    static func of(_ a: UInt64, _ b: Complex<Double>) -> Order { b.im == 0 ? of(a, b.re) : .unordered }
}
