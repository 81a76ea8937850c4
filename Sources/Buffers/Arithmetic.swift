import Language

/// Elements that are computed with. Bools are not: they are brought to `int64` first.
protocol Arithmetic: Element {
    /// Sets each of `out` to what the operation makes of the items of both; `out` overlaps neither.
    ///
    /// - Returns: the first place that has no such result, overflow or a zero divisor; nil when all have one.
    static func compute(
        _ operation: BinaryOperation, _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>,
        _ out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Int?

    /// The same for each item and an operation of the kind `arithmetic`.
    static func apply(
        _ operation: UnaryOperation, _ items: UnsafePointer<Self>, _ out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Int?

    /// Adds so many items times a factor to those of `out`; false when one does not fit.
    static func addScaled(
        _ items: UnsafePointer<Self>, _ factor: Self, to out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Bool

    /// False only where no item is NaN.
    static func mayHoldNaN(_ items: UnsafePointer<Self>, _ count: Int) -> Bool

    /// Whether the two are equal, and whether the first is less; both false with NaN.
    static func isEqual(_ a: Self, _ b: Self) -> Bool
    static func isLess(_ a: Self, _ b: Self) -> Bool
}

/// Code over elements that are computed with.
protocol ArithmeticVisitor {
    associatedtype Output
    func visit<T: Arithmetic>(_ type: T.Type) throws(Failure) -> Output
}

extension ElementFormat {
    /// Runs the code for the format's element; for bools as if they were `int64`.
    @inline(__always) func accept<V: ArithmeticVisitor>(arithmetic visitor: V) throws(Failure) -> V.Output {
        switch self {
        case .int8: try visitor.visit(Int8.self)
        case .int16: try visitor.visit(Int16.self)
        case .int32: try visitor.visit(Int32.self)
        case .bool, .int64: try visitor.visit(Int64.self)
        case .uint8: try visitor.visit(UInt8.self)
        case .uint16: try visitor.visit(UInt16.self)
        case .uint32: try visitor.visit(UInt32.self)
        case .uint64: try visitor.visit(UInt64.self)
        case .float16: try visitor.visit(Float16.self)
        case .float32: try visitor.visit(Float.self)
        case .float64: try visitor.visit(Double.self)
        case .complex64: try visitor.visit(Complex<Float>.self)
        case .complex128: try visitor.visit(Complex<Double>.self)
        }
    }
}

extension Int8: Arithmetic {}
extension Int16: Arithmetic {}
extension Int32: Arithmetic {}
extension Int64: Arithmetic {}
extension UInt8: Arithmetic {}
extension UInt16: Arithmetic {}
extension UInt32: Arithmetic {}
extension UInt64: Arithmetic {}
extension Float16: Arithmetic {}
extension Float: Arithmetic {}
extension Double: Arithmetic {}

// MARK: Whole numbers

extension Arithmetic where Self: FixedWidthInteger {
    @inline(__always) static func isEqual(_ a: Self, _ b: Self) -> Bool { a == b }
    @inline(__always) static func isLess(_ a: Self, _ b: Self) -> Bool { a < b }

    static func compute(
        _ operation: BinaryOperation, _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>,
        _ out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Int? {
        switch operation {
        case .add: checked(a, b, out, count, sum)
        case .subtract: checked(a, b, out, count, difference)
        case .multiply: checked(a, b, out, count, product)
        case .divide, .floorDivide: checked(a, b, out, count, floorQuotient)
        case .modulo: checked(a, b, out, count, floorRemainder)
        case .minimum: checked(a, b, out, count) { ($1 < $0 ? $1 : $0, 0) }
        case .maximum: checked(a, b, out, count) { ($0 < $1 ? $1 : $0, 0) }
        }
    }

    /// - Parameter body: a result, and anything but 0 where it is wrong.
    @inline(__always) private static func checked(
        _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, _ out: UnsafeMutablePointer<Self>, _ count: Int,
        _ body: (Self, Self) -> (Self, Self)
    ) -> Int? {
        var wrong: Self = 0
        for item in 0..<count {
            let (result, isWrong) = body(a[item], b[item])
            out[item] = result
            wrong |= isWrong
        }
        return wrong != 0 ? (0..<count).first { body(a[$0], b[$0]).1 != 0 } : nil
    }

    // Written with bits where the reporting forms would keep the loop from being vectorised (Warren, "Hacker's Delight",
    // 2-13): the highest bit says whether the result is wrong.

    @inline(__always) private static func sum(_ a: Self, _ b: Self) -> (Self, Self) {
        let sum = a &+ b
        let wrong = isSigned ? (a ^ sum) & (b ^ sum) : (a & b) | ((a | b) & ~sum)
        return (sum, wrong &>> Self(truncatingIfNeeded: bitWidth - 1))
    }

    @inline(__always) private static func difference(_ a: Self, _ b: Self) -> (Self, Self) {
        let difference = a &- b
        let wrong = isSigned ? (a ^ b) & (a ^ difference) : (~a & b) | (~(a ^ b) & difference)
        return (difference, wrong &>> Self(truncatingIfNeeded: bitWidth - 1))
    }

    @inline(__always) private static func product(_ a: Self, _ b: Self) -> (Self, Self) {
        if bitWidth > 32 {
            let (product, isWrong) = a.multipliedReportingOverflow(by: b)
            return (product, isWrong ? 1 : 0)
        }
        let product = Int64(truncatingIfNeeded: a) &* Int64(truncatingIfNeeded: b)
        let result = Self(truncatingIfNeeded: product)
        return (result, Int64(truncatingIfNeeded: result) == product ? 0 : 1)
    }

    @inline(__always) private static func floorQuotient(_ a: Self, _ b: Self) -> (Self, Self) {
        let (quotient, isWrong) = a.dividedReportingOverflow(by: b)
        guard !isWrong else { return (0, 1) }
        return (isSigned && (a < 0) != (b < 0) && quotient &* b != a ? quotient &- 1 : quotient, 0)
    }

    @inline(__always) private static func floorRemainder(_ a: Self, _ b: Self) -> (Self, Self) {
        guard b != 0 else { return (0, 1) }
        let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
        return (isSigned && remainder != 0 && (remainder < 0) != (b < 0) ? remainder &+ b : remainder, 0)
    }
}

extension Arithmetic {
    /// The least of at least one item, or the greatest when reversed; NaN where there is one.
    ///
    /// In as many lanes as vectors want, which stay in the nearest cache.
    static func extreme(_ items: UnsafePointer<Self>, _ count: Int, isReversed: Bool) -> Self {
        if mayHoldNaN(items, count), let place = (0..<count).first(where: { !isEqual(items[$0], items[$0]) }) {
            return items[place]
        }
        return isReversed ? lanes(items, count, greater) : lanes(items, count, lesser)
    }

    static func mayHoldNaN(_ items: UnsafePointer<Self>, _ count: Int) -> Bool { false }

    /// In eight lanes, which become vectors.
    @inline(__always) private static func lanes(
        _ items: UnsafePointer<Self>, _ count: Int, _ better: (Self, Self) -> Self
    ) -> Self {
        let first = items[0]
        var (a, b, c, d, e, f, g, h) = (first, first, first, first, first, first, first, first)
        let whole = count & ~7
        for start in stride(from: 0, to: whole, by: 8) {
            a = better(items[start], a)
            b = better(items[start + 1], b)
            c = better(items[start + 2], c)
            d = better(items[start + 3], d)
            e = better(items[start + 4], e)
            f = better(items[start + 5], f)
            g = better(items[start + 6], g)
            h = better(items[start + 7], h)
        }
        var best = better(better(better(a, b), better(c, d)), better(better(e, f), better(g, h)))
        for item in whole..<count { best = better(items[item], best) }
        return best
    }

    /// The lesser of two, the second where NaN is one: the processor's own instruction.
    @inline(__always) private static func lesser(_ a: Self, _ b: Self) -> Self { isLess(a, b) ? a : b }
    @inline(__always) private static func greater(_ a: Self, _ b: Self) -> Self { isLess(b, a) ? a : b }

    /// The lesser, or the greater when reversed; NaN where one is.
    @inline(__always) static func better(_ a: Self, _ b: Self, isReversed: Bool) -> Self {
        (isReversed ? isLess(b, a) : isLess(a, b)) || !isEqual(a, a) ? a : b
    }
}

// MARK: Floats

extension Arithmetic where Self: BinaryFloatingPoint {
    @inline(__always) static func isEqual(_ a: Self, _ b: Self) -> Bool { a == b }
    @inline(__always) static func isLess(_ a: Self, _ b: Self) -> Bool { a < b }

    static func compute(
        _ operation: BinaryOperation, _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>,
        _ out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Int? {
        switch operation {
        case .add: for item in 0..<count { out[item] = a[item] + b[item] }
        case .subtract: for item in 0..<count { out[item] = a[item] - b[item] }
        case .multiply: for item in 0..<count { out[item] = a[item] * b[item] }
        case .divide: for item in 0..<count { out[item] = a[item] / b[item] }
        case .floorDivide: for item in 0..<count { out[item] = floorQuotient(a[item], b[item]) }
        case .modulo: for item in 0..<count { out[item] = floorRemainder(a[item], b[item]) }
        case .minimum: for item in 0..<count { out[item] = better(a[item], b[item], isReversed: false) }
        case .maximum: for item in 0..<count { out[item] = better(a[item], b[item], isReversed: true) }
        }
        return nil
    }

    /// NaN and infinities less themselves are NaN, anything else is 0: additions become vectors where comparisons do not.
    static func mayHoldNaN(_ items: UnsafePointer<Self>, _ count: Int) -> Bool {
        var (a, b, c, d): (Self, Self, Self, Self) = (0, 0, 0, 0)
        let whole = count & ~3
        for start in stride(from: 0, to: whole, by: 4) {
            a += items[start] - items[start]
            b += items[start + 1] - items[start + 1]
            c += items[start + 2] - items[start + 2]
            d += items[start + 3] - items[start + 3]
        }
        for item in whole..<count { a += items[item] - items[item] }
        return (a + b + c + d).isNaN
    }

    /// The floor of the exact quotient, as for a float of meta; what IEEE says for a divisor of 0.
    private static func floorQuotient(_ a: Self, _ b: Self) -> Self {
        guard b != 0 else { return a / b }
        var remainder = a.truncatingRemainder(dividingBy: b)
        var quotient = (a - remainder) / b
        if remainder != 0, (remainder < 0) != (b < 0) {
            remainder += b
            quotient -= 1
        }
        guard quotient != 0 else { return (a / b).sign == .minus ? -0.0 : 0 }
        let floor = quotient.rounded(.down)
        return quotient - floor > 0.5 ? floor + 1 : floor
    }

    private static func floorRemainder(_ a: Self, _ b: Self) -> Self {
        let remainder = a.truncatingRemainder(dividingBy: b)
        if remainder == 0 { return b < 0 ? -0.0 : 0 }
        return (remainder < 0) != (b < 0) ? remainder + b : remainder
    }
}

// MARK: Complex numbers

extension Complex: Arithmetic where Part: Element {
    @inline(__always) static func isEqual(_ a: Self, _ b: Self) -> Bool { a.re == b.re && a.im == b.im }
    @inline(__always) static func isLess(_ a: Self, _ b: Self) -> Bool { false }

    /// Only for operations that complex numbers have.
    static func compute(
        _ operation: BinaryOperation, _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>,
        _ out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Int? {
        switch operation {
        case .add: for item in 0..<count { out[item] = a[item] + b[item] }
        case .subtract: for item in 0..<count { out[item] = Self(a[item].re - b[item].re, a[item].im - b[item].im) }
        case .multiply: for item in 0..<count { out[item] = a[item] * b[item] }
        case .divide: for item in 0..<count { out[item] = quotient(a[item], b[item]) }
        case .floorDivide, .modulo, .minimum, .maximum: return 0
        }
        return nil
    }

    @inline(__always) static func + (a: Self, b: Self) -> Self { Self(a.re + b.re, a.im + b.im) }
    @inline(__always) static func * (a: Self, b: Self) -> Self {
        Self(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)
    }

    /// Smith's division ("Algorithm 116", 1962), which overflows only where the result is near to it.
    private static func quotient(_ a: Self, _ b: Self) -> Self {
        if b.re.magnitude >= b.im.magnitude {
            if b.re == 0, b.im == 0 { return Self(a.re / b.re, a.im / b.re) }
            let ratio = b.im / b.re
            let scale = b.re + b.im * ratio
            return Self((a.re + a.im * ratio) / scale, (a.im - a.re * ratio) / scale)
        }
        let ratio = b.re / b.im
        let scale = b.re * ratio + b.im
        return Self((a.re * ratio + a.im) / scale, (a.im * ratio - a.re) / scale)
    }
}
