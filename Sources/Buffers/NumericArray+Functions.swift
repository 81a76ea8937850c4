import Glibc
import Language

extension NumericArray {
    /// The operation on each item. Whole numbers keep their format in arithmetic, and bools count as `int64`; roots,
    /// logarithms and so on of them are of float64. Floats keep theirs, and what has no result is NaN. `abs` of a complex
    /// number is a float of its precision.
    ///
    /// - Throws: `eval/overflow` where a whole result does not fit, with its index; `eval/type` for a complex number where
    ///   only `negate`, `abs` and tests take one; `buffer/memory`.
    public func applying(_ operation: UnaryOperation) throws(Failure) -> NumericArray {
        switch operation.kind {
        case .test: return try format.accept(Testing(array: self, operation: operation))
        case .arithmetic where format.isComplex && operation == .abs:
            return try format.accept(Magnitudes(array: self))
        case .transcendental where format.isComplex, .arithmetic where format.isComplex && operation != .negate:
            throw Failure("eval/type", "\(operation.rawValue) takes no complex numbers")
        case .arithmetic: return try format.accept(arithmetic: ArithmeticApplying(array: self, operation: operation))
        case .transcendental:
            // The one that the processor has, for several items at a time.
            if operation == .sqrt, format == .float64 || format == .float32 { return try squareRoots() }
            switch format {
            case .float16:
                return try mapped(operation.function) { (x: Float16) in
                    Double(x)
                } _: {
                    Float16($0)
                }
            case .float32:
                return try mapped(operation.function) { (x: Float) in
                    Double(x)
                } _: {
                    Float($0)
                }
            default:
                return try mapped(operation.function) { (x: Double) in
                    x
                } _: {
                    $0
                }
            }
        }
    }

    private func squareRoots() throws(Failure) -> NumericArray {
        if format == .float32 {
            return try map { (items: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>, count, _) in
                for item in 0..<count { out[item] = items[item].squareRoot() }
            }
        }
        return try map { (items: UnsafePointer<Double>, out: UnsafeMutablePointer<Double>, count, _) in
            for item in 0..<count { out[item] = items[item].squareRoot() }
        }
    }

    private func mapped<T: Element>(
        _ function: (Double) -> Double, _ widen: (T) -> Double, _ narrow: (Double) -> T
    ) throws(Failure) -> NumericArray {
        try map { (items: UnsafePointer<T>, out: UnsafeMutablePointer<T>, count, _) in
            for item in 0..<count { out[item] = narrow(function(widen(items[item]))) }
        }
    }

    /// An array of what a loop makes of the items, brought to one type.
    ///
    /// - Parameter body: sets `count` results; the last number is that of the first of them in C order.
    func map<T: Element, R: Element>(
        _ body: (UnsafePointer<T>, UnsafeMutablePointer<R>, Int, Int) throws(Failure) -> Void
    ) throws(Failure) -> NumericArray {
        try NumericArray(shape: shape) { (out: ItemsOut<R>) throws(Failure) in
            try storage.withBytes { bytes throws(Failure) in
                let source = try source(of: T.self, layout, bytes)
                for start in stride(from: 0, to: out.count, by: ItemSource<T>.step) {
                    let count = min(ItemSource<T>.step, out.count - start)
                    try body(try source.next(count), out.start + start, count, start)
                }
            }
        }
    }
}

extension UnaryOperation {
    /// The C library's; the identity for what is no transcendental one.
    fileprivate var function: (Double) -> Double {
        switch self {
        case .sqrt: { $0.squareRoot() }
        case .exp: Glibc.exp
        case .log: Glibc.log
        case .log2: Glibc.log2
        case .log10: Glibc.log10
        case .sin: Glibc.sin
        case .cos: Glibc.cos
        case .tan: Glibc.tan
        case .asin: Glibc.asin
        case .acos: Glibc.acos
        case .atan: Glibc.atan
        case .sinh: Glibc.sinh
        case .cosh: Glibc.cosh
        case .tanh: Glibc.tanh
        case .negate, .abs, .sign, .floor, .ceil, .trunc, .round, .isNaN, .isFinite, .not: { $0 }
        }
    }
}

private struct Testing: ElementVisitor {
    let array: NumericArray
    let operation: UnaryOperation

    func visit<T: Element>(_ type: T.Type) throws(Failure) -> NumericArray {
        try array.map { (items: UnsafePointer<T>, out: UnsafeMutablePointer<Flag>, count, _) in
            switch operation {
            case .isNaN: for item in 0..<count { out[item] = Flag(items[item].wide.isNaN) }
            case .isFinite: for item in 0..<count { out[item] = Flag(items[item].wide.isFinite) }
            default: for item in 0..<count { out[item] = Flag(!items[item].wide.isTrue) }
            }
        }
    }
}

private struct Magnitudes: ElementVisitor {
    let array: NumericArray

    func visit<T: Element>(_ type: T.Type) throws(Failure) -> NumericArray {
        // Wide as the source, so that only the result is rounded.
        let wide = try array.map {
            (items: UnsafePointer<Complex<Double>>, out: UnsafeMutablePointer<Double>, count, _) in
            for item in 0..<count { out[item] = hypot(items[item].re, items[item].im) }
        }
        return try wide.rounded(to: array.format.part)
    }
}

extension NumericArray {
    /// The floats in a smaller format, infinite where it has no number so large.
    fileprivate func rounded(to format: ElementFormat) throws(Failure) -> NumericArray {
        guard format == .float32 else { return self }
        return try map { (items: UnsafePointer<Double>, out: UnsafeMutablePointer<Float>, count, _) in
            for item in 0..<count { out[item] = Float(items[item]) }
        }
    }
}

private struct ArithmeticApplying: ArithmeticVisitor {
    let array: NumericArray
    let operation: UnaryOperation

    func visit<T: Arithmetic>(_ type: T.Type) throws(Failure) -> NumericArray {
        try array.map { (items: UnsafePointer<T>, out: UnsafeMutablePointer<T>, count, start) throws(Failure) in
            guard let place = T.apply(operation, items, out, count) else { return }
            let index = ArrayLayout.index(ofItem: start + place, in: array.shape).placeText
            throw Failure(
                "eval/overflow",
                "(\(operation.rawValue) \(Printer.text(items[place].shown)))\(index) does not fit \(T.format.rawValue)")
        }
    }
}

extension Arithmetic where Self: FixedWidthInteger {
    static func apply(
        _ operation: UnaryOperation, _ items: UnsafePointer<Self>, _ out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Int? {
        switch operation {
        case .negate:
            for item in 0..<count { out[item] = 0 &- items[item] }
            return (0..<count).first { isSigned ? items[$0] == .min : items[$0] != 0 }
        case .abs:
            for item in 0..<count { out[item] = items[item] < 0 ? 0 &- items[item] : items[item] }
            return isSigned ? (0..<count).first { items[$0] == .min } : nil
        case .sign: for item in 0..<count { out[item] = items[item].signum() }
        default: out.update(from: items, count: count)
        }
        return nil
    }
}

extension Arithmetic where Self: BinaryFloatingPoint {
    static func apply(
        _ operation: UnaryOperation, _ items: UnsafePointer<Self>, _ out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Int? {
        switch operation {
        case .negate: for item in 0..<count { out[item] = -items[item] }
        case .abs: for item in 0..<count { out[item] = items[item].magnitude }
        case .sign: for item in 0..<count { out[item] = items[item] > 0 ? 1 : items[item] < 0 ? -1 : items[item] }
        case .floor: for item in 0..<count { out[item] = items[item].rounded(.down) }
        case .ceil: for item in 0..<count { out[item] = items[item].rounded(.up) }
        case .trunc: for item in 0..<count { out[item] = items[item].rounded(.towardZero) }
        case .round: for item in 0..<count { out[item] = items[item].rounded(.toNearestOrEven) }
        default: out.update(from: items, count: count)
        }
        return nil
    }
}

extension Complex where Part: Element {
    /// Only to negate.
    static func apply(
        _ operation: UnaryOperation, _ items: UnsafePointer<Self>, _ out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Int? {
        for item in 0..<count { out[item] = Self(-items[item].re, -items[item].im) }
        return nil
    }
}
