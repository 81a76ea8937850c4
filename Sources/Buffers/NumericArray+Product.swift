import Language

extension NumericArray {
    /// The product of matrices: rows of this one with columns of the other, summed. A vector is one row or one column, and
    /// that axis goes: of two vectors what is left is their dot product, an array without axes.
    ///
    /// Formats meet as in `*`. Whole numbers are checked at each step; floats are summed in order, float32 and float16 in
    /// double precision.
    ///
    /// - Throws: `buffer/shape` unless both have one or two axes, and the last of this as many items as the first of the
    ///   other; `eval/overflow` where a whole sum does not fit; `buffer/memory`.
    public func product(with other: NumericArray) throws(Failure) -> NumericArray {
        guard (1...2).contains(rank), (1...2).contains(other.rank), shape[rank - 1] == other.shape[0] else {
            throw Failure(
                "buffer/shape",
                "a product takes rows as long as the other's columns, got shapes \(shape) and \(other.shape)")
        }
        let format = BinaryOperation.multiply.format(format, other.format)
        // Two accumulate in a wider format than their own.
        let working = format == .float16 || format == .float32 ? .float64 : format
        let made = try working.accept(arithmetic: Multiplying(a: self, b: other))
        let shape = Array(shape.dropLast()) + Array(other.shape.dropFirst())
        return try made.reshaped(shape).narrowed(to: format)
    }

    /// Floats in a smaller format, infinite where it has no number so large.
    private func narrowed(to format: ElementFormat) throws(Failure) -> NumericArray {
        switch format {
        case .float32:
            try map { (items: UnsafePointer<Double>, out: UnsafeMutablePointer<Float>, count, _) in
                for item in 0..<count { out[item] = Float(items[item]) }
            }
        case .float16:
            try map { (items: UnsafePointer<Double>, out: UnsafeMutablePointer<Float16>, count, _) in
                for item in 0..<count { out[item] = Float16(items[item]) }
            }
        default: self
        }
    }
}

private struct Multiplying: ArithmeticVisitor {
    let a: NumericArray
    let b: NumericArray

    /// Items of a column block: what stays in the cache while all rows pass.
    private static var block: Int { 256 }

    func visit<T: Arithmetic>(_ type: T.Type) throws(Failure) -> NumericArray {
        let rows = a.rank == 2 ? a.shape[0] : 1
        let columns = b.rank == 2 ? b.shape[1] : 1
        let inner = b.shape[0]
        let left = try a.converted(to: T.format)
        let right = try b.converted(to: T.format)
        return try NumericArray(shape: [rows, columns]) { (out: ItemsOut<T>) throws(Failure) in
            out.start.update(repeating: T.narrowed(Int64(0)).0, count: out.count)
            try left.withContiguousBytes { leftBytes throws(Failure) in
                try right.withContiguousBytes { rightBytes throws(Failure) in
                    guard out.count > 0, let x = leftBytes.baseAddress, let y = rightBytes.baseAddress else { return }
                    let fits = T.multiply(
                        x.assumingMemoryBound(to: T.self), y.assumingMemoryBound(to: T.self), out.start, rows, inner,
                        columns, Self.block)
                    if !fits {
                        throw Failure("eval/overflow", "a sum of the product does not fit \(T.format.rawValue)")
                    }
                }
            }
        }
    }
}

extension Arithmetic {
    /// Adds to `out` the product of two matrices in C order; false when an item does not fit.
    static func multiply(
        _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, _ out: UnsafeMutablePointer<Self>, _ rows: Int,
        _ inner: Int,
        _ columns: Int, _ block: Int
    ) -> Bool {
        var fits = true
        for k in stride(from: 0, to: inner, by: block) {
            for j in stride(from: 0, to: columns, by: block) {
                let width = min(block, columns - j)
                for row in 0..<rows {
                    let target = out + row * columns + j
                    for item in k..<min(inner, k + block) {
                        fits = addScaled(b + item * columns + j, a[row * inner + item], to: target, width) && fits
                    }
                }
            }
        }
        return fits
    }
}

extension Arithmetic where Self: FixedWidthInteger {
    static func addScaled(
        _ items: UnsafePointer<Self>, _ factor: Self, to out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Bool {
        var isTooLarge = false
        for item in 0..<count {
            let (product, isBeyond) = items[item].multipliedReportingOverflow(by: factor)
            let (sum, isOver) = out[item].addingReportingOverflow(product)
            out[item] = sum
            isTooLarge = isTooLarge || isBeyond || isOver
        }
        return !isTooLarge
    }
}

extension Arithmetic where Self: BinaryFloatingPoint {
    static func addScaled(
        _ items: UnsafePointer<Self>, _ factor: Self, to out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Bool {
        for item in 0..<count { out[item] += items[item] * factor }
        return true
    }
}

extension Complex where Part: Element {
    static func addScaled(
        _ items: UnsafePointer<Self>, _ factor: Self, to out: UnsafeMutablePointer<Self>, _ count: Int
    ) -> Bool {
        for item in 0..<count { out[item] = out[item] + items[item] * factor }
        return true
    }
}
