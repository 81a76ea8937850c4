import Language

/// An array of numbers or bools: a layout over memory that several arrays may share.
///
/// It never changes, except that one over a shared mapping shows what others write. Not for several threads.
public final class NumericArray {
    public let layout: ArrayLayout
    public let storage: Storage

    /// - Throws: `buffer/range` when items lie outside the storage.
    public init(_ layout: ArrayLayout, _ storage: Storage) throws(Failure) {
        try layout.check(within: storage.byteCount)
        self.layout = layout
        self.storage = storage
    }

    /// A copy of bytes that hold items in C order.
    ///
    /// - Throws: `buffer/range` unless there are exactly as many bytes as the shape takes; `buffer/memory`.
    public convenience init(
        _ format: ElementFormat, shape: [Int], copying bytes: UnsafeRawBufferPointer
    ) throws(Failure) {
        let layout = try ArrayLayout(format, shape: shape)
        guard layout.byteCount == bytes.count else {
            throw Failure(
                "buffer/range",
                "\(format.rawValue) items of shape \(shape) are \(layout.byteCount) bytes, got \(bytes.count)")
        }
        try self.init(layout, Storage(copying: bytes))
    }

    public var format: ElementFormat { layout.format }
    public var shape: [Int] { layout.shape }
    public var rank: Int { layout.rank }
    public var count: Int { layout.count }

    // MARK: Parts, which share the storage

    /// - Throws: as `ArrayLayout.selecting`.
    public func selecting(_ selections: [AxisSelection]) throws(Failure) -> NumericArray {
        try NumericArray(try layout.selecting(selections), storage)
    }

    /// - Throws: as `ArrayLayout.transposed`.
    public func transposed(_ axes: [Int]? = nil) throws(Failure) -> NumericArray {
        try NumericArray(try layout.transposed(axes), storage)
    }

    /// The items in C order in another shape; one extent may be -1. They are copied only where they do not stand so.
    ///
    /// - Throws: `buffer/range` for a shape of another count; `buffer/memory`.
    public func reshaped(_ shape: [Int]) throws(Failure) -> NumericArray {
        if let reshaped = try layout.reshaped(shape) { return try NumericArray(reshaped, storage) }
        let copy = try copied()
        return try NumericArray(try copy.layout.reshaped(shape) ?? copy.layout, copy.storage)
    }

    /// The array, or one with the same items in C order, from the first byte that they begin at.
    ///
    /// - Throws: `buffer/memory`.
    public func inCOrder() throws(Failure) -> NumericArray {
        layout.isCOrder ? self : try copied()
    }

    /// The same items in C order in memory of their own, which nobody else writes.
    ///
    /// - Throws: `buffer/memory`.
    public func copied() throws(Failure) -> NumericArray {
        try format.accept(Copying(array: self))
    }

    // MARK: Items

    /// An item; negative indexes count from the end. A whole number is exact, a complex one tagged.
    ///
    /// - Throws: `eval/index`.
    public func value(at index: [Int]) throws(Failure) -> Value {
        try item(at: try layout.byteOffset(of: index))
    }

    /// The item that begins at a byte.
    func item(at place: Int) throws(Failure) -> Value {
        try storage.withBytes { bytes throws(Failure) in
            try format.accept(ItemReading(bytes: bytes, place: place))
        }
    }

    /// The items as vectors in vectors, one level for each axis; the item itself where there is no axis.
    ///
    /// - Throws: `eval/size` for more than `limit` items.
    public func values(limit: Int = .max) throws(Failure) -> Value {
        guard count <= limit else {
            throw Failure("eval/size", "an array of \(count) items is more than \(limit)")
        }
        return try format.accept(ValueReading(array: self))
    }

    /// Lends the bytes of the items in C order for the time of a call: the storage's own where they stand so.
    ///
    /// - Throws: `buffer/memory`, and what the body does.
    public func withContiguousBytes<T>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> T
    ) throws(Failure) -> T {
        let dense = try inCOrder()
        return try dense.storage.withBytes { bytes throws(Failure) in
            let start = dense.layout.offset
            return try body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + dense.layout.byteCount]))
        }
    }

    /// Writes an item of an array over a shared mapping, for all that map it to see.
    ///
    /// - Throws: `buffer/published` for any other storage; `eval/index`; `eval/type`, `eval/overflow` for a value that the
    ///   format does not hold.
    public func setItem(at index: [Int], to value: Value) throws(Failure) {
        guard let bytes = storage.mapping?.mutableBytes else {
            throw Failure("buffer/published", "an array does not change, unless it was made mutable")
        }
        let place = try layout.byteOffset(of: index)
        try format.accept(ItemWriting(bytes: bytes, place: place, value: value))
    }
}

private struct ItemReading: ElementVisitor {
    let bytes: UnsafeRawBufferPointer
    let place: Int

    func visit<T: Element>(_ type: T.Type) -> Value {
        bytes.loadUnaligned(fromByteOffset: place, as: T.self).shown
    }
}

private struct ItemWriting: ElementVisitor {
    let bytes: UnsafeMutableRawBufferPointer
    let place: Int
    let value: Value

    func visit<T: Element>(_ type: T.Type) throws(Failure) {
        let item = try Scalar(value, at: []).element(T.self, at: [])
        bytes.storeBytes(of: item, toByteOffset: place, as: T.self)
    }
}

private struct Copying: ElementVisitor {
    let array: NumericArray

    func visit<T: Element>(_ type: T.Type) throws(Failure) -> NumericArray {
        try NumericArray(shape: array.shape) { (out: ItemsOut<T>) throws(Failure) in
            try array.storage.withBytes { bytes throws(Failure) in
                ItemStream<T>(array.layout, bytes).copy(array.count, to: out.start)
            }
        }
    }
}

private struct ValueReading: ElementVisitor {
    let array: NumericArray

    func visit<T: Element>(_ type: T.Type) throws(Failure) -> Value {
        try array.storage.withBytes { bytes throws(Failure) in
            vector(T.self, bytes, axis: 0, place: array.layout.offset)
        }
    }

    private func vector<T: Element>(_ type: T.Type, _ bytes: UnsafeRawBufferPointer, axis: Int, place: Int) -> Value {
        guard axis < array.rank else { return bytes.loadUnaligned(fromByteOffset: place, as: T.self).shown }
        let stride = array.layout.strides[axis]
        return .vector(
            Items((0..<array.shape[axis]).map { vector(type, bytes, axis: axis + 1, place: place + $0 * stride) }))
    }
}

extension Element {
    /// The item as a value of meta.
    @inline(__always) var shown: Value {
        if let flag = self as? Flag { return .bool(flag.byte != 0) }
        return wide.value
    }
}
