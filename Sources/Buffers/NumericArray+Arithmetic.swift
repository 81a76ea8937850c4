import Language

/// An operand beside an array.
public enum Operand {
    case array(NumericArray)
    /// A number or bool of meta, which does not widen an array's format: float32 + 1.5 is of float32.
    case value(Value)
}

/// Arithmetic item by item. Shapes meet by broadcasting, formats by promotion, and nothing wraps.
extension NumericArray {
    /// The items of both, one from each, in the operation. At least one is an array.
    ///
    /// A number of meta takes the array's format where it has the same or a lesser kind (bool, whole, float, complex), else
    /// the float64, or complex numbers of the array's precision, that it needs. Floats compute as IEEE 754 says, also with a
    /// zero divisor; `//` and `mod` floor.
    ///
    /// - Throws: `eval/overflow` where a whole result does not fit its format, or a number the array's; `eval/divide` for a
    ///   zero divisor of whole numbers; each with its index. `eval/type` for what is no number, or an operation that complex
    ///   numbers do not have; `buffer/shape`, `buffer/range`, `buffer/memory`.
    public static func compute(_ operation: BinaryOperation, _ a: Operand, _ b: Operand) throws(Failure) -> NumericArray
    {
        let (a, b) = try arrays(operation, a, b)
        let format = operation.format(a.format, b.format)
        guard !format.isComplex || operation.isComplex else {
            throw Failure("eval/type", "\(operation.rawValue) takes no complex numbers")
        }
        let shape = try ArrayLayout.commonShape(a.layout, b.layout)
        return try format.accept(arithmetic: Computing(operation: operation, a: a, b: b, shape: shape))
    }

    private static func arrays(
        _ operation: BinaryOperation, _ a: Operand, _ b: Operand
    ) throws(Failure) -> (NumericArray, NumericArray) {
        switch (a, b) {
        case (.array(let a), .array(let b)): (a, b)
        case (.array(let a), .value(let b)): (a, try a.beside(b, operation))
        case (.value(let a), .array(let b)): (try b.beside(a, operation), b)
        case (.value(let a), .value(let b)): (try NumericArray(values: a), try NumericArray(values: b))
        }
    }

    /// The number as an array of one item, in the format that it has beside this array.
    private func beside(_ value: Value, _ operation: BinaryOperation) throws(Failure) -> NumericArray {
        let scalar = try Scalar(value, at: [])
        var format = scalar.format(beside: format)
        // What becomes a float anyway need not fit the array's format first.
        if operation == .divide, format.isInteger { format = scalar.number.format ?? .float64 }
        return try NumericArray(values: format == .bool ? value : scalar.number.value, format: format)
    }
}

extension Scalar {
    /// The format that a number takes beside an array's, widening it only where the kind must change.
    fileprivate func format(beside array: ElementFormat) -> ElementFormat {
        switch (self, array.kind) {
        case (.bool, _): array
        case (.int, .boolean), (.integer, .boolean): .int64
        case (.int, _), (.integer, _): array
        case (.float, .boolean), (.float, .signed), (.float, .unsigned): .float64
        case (.float, _): array
        case (.complex, .complex): array
        case (.complex, .float): array.size < 8 ? .complex64 : .complex128
        case (.complex, _): .complex128
        }
    }

    /// A bool as 0 or 1, anything else itself.
    fileprivate var number: Scalar {
        if case .bool(let flag) = self { .int(flag ? 1 : 0) } else { self }
    }
}

private struct Computing: ArithmeticVisitor {
    let operation: BinaryOperation
    let a: NumericArray
    let b: NumericArray
    let shape: [Int]

    func visit<T: Arithmetic>(_ type: T.Type) throws(Failure) -> NumericArray {
        // Whole numbers that are divided are floats by now, but still may not be divided by zero.
        let refusesZero = operation.isDivision && !a.format.isFloat && !b.format.isFloat && !T.format.isComplex
        return try NumericArray.zip(a, b, as: T.self, shape: shape) {
            (x, y, out: UnsafeMutablePointer<T>, count, start) throws(Failure) in
            if refusesZero, let place = (0..<count).first(where: { T.isEqual(y[$0], T.narrowed(Int64(0)).0) }) {
                throw failure("eval/divide", "has a zero divisor", x[place], y[place], start + place)
            }
            if let place = T.compute(operation, x, y, out, count) {
                throw failure("eval/overflow", "does not fit \(T.format.rawValue)", x[place], y[place], start + place)
            }
        }
    }

    private func failure<T: Arithmetic>(_ code: String, _ problem: String, _ x: T, _ y: T, _ place: Int) -> Failure {
        let index = ArrayLayout.index(ofItem: place, in: shape).placeText
        let (x, y) = (Printer.text(x.shown), Printer.text(y.shown))
        return Failure(code, "(\(operation.rawValue) \(x) \(y))\(index) \(problem)")
    }
}

extension NumericArray {
    /// An array of what a loop makes of the items of two arrays, brought to one type and broadcast to one shape.
    ///
    /// - Parameter body: sets `count` results; the last number is that of the first of them in C order.
    static func zip<A: Element, B: Element, R: Element>(
        _ a: NumericArray, as aType: A.Type, _ b: NumericArray, as bType: B.Type, shape: [Int],
        _ body: (UnsafePointer<A>, UnsafePointer<B>, UnsafeMutablePointer<R>, Int, Int) throws(Failure) -> Void
    ) throws(Failure) -> NumericArray {
        guard let left = try a.layout.broadcast(to: shape), let right = try b.layout.broadcast(to: shape) else {
            throw Failure("buffer/shape", "shapes \(a.shape) and \(b.shape) do not meet in \(shape)")
        }
        return try NumericArray(shape: shape) { (out: ItemsOut<R>) throws(Failure) in
            try a.storage.withBytes { aBytes throws(Failure) in
                try b.storage.withBytes { bBytes throws(Failure) in
                    let x = try a.source(of: A.self, left, aBytes)
                    let y = try b.source(of: B.self, right, bBytes)
                    for start in stride(from: 0, to: out.count, by: ItemSource<A>.step) {
                        let count = min(ItemSource<A>.step, out.count - start)
                        try body(try x.next(count), try y.next(count), out.start + start, count, start)
                    }
                }
            }
        }
    }

    static func zip<T: Element, R: Element>(
        _ a: NumericArray, _ b: NumericArray, as type: T.Type, shape: [Int],
        _ body: (UnsafePointer<T>, UnsafePointer<T>, UnsafeMutablePointer<R>, Int, Int) throws(Failure) -> Void
    ) throws(Failure) -> NumericArray {
        try zip(a, as: type, b, as: type, shape: shape, body)
    }
}
