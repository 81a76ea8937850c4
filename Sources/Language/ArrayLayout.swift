/// Where the items of an array lie in a stretch of bytes: format, shape, and from where in what steps.
///
/// Every layout is sound: 0 to 32 axes, no negative extent, sizes and places that fit an `Int`, no item before the first
/// byte. Whether the last one lies inside is checked against the length that is given. One without items has the strides
/// of C order and the offset 0, whatever was asked for.
public struct ArrayLayout: Hashable, Sendable {
    public static let maximumRank = 32

    public let format: ElementFormat
    /// The extent of each axis; none for a single item.
    public let shape: [Int]
    /// For each axis the bytes from one item to the next; negative where it runs backwards, 0 where it stands still.
    public let strides: [Int]
    /// Where the first item begins, in bytes.
    public let offset: Int
    /// How many items there are.
    public let count: Int

    /// - Parameters:
    ///   - strides: in bytes, one for each axis; those of C order without them.
    ///   - length: of the bytes, where it is known.
    /// - Throws: `buffer/range`.
    public init(
        _ format: ElementFormat, shape: [Int], strides: [Int]? = nil, offset: Int = 0, within length: Int? = nil
    ) throws(Failure) {
        guard shape.count <= Self.maximumRank else {
            throw Self.wrong("an array has at most \(Self.maximumRank) axes, got \(shape.count)")
        }
        guard strides == nil || strides?.count == shape.count else {
            throw Self.wrong("\(shape.count) axes take as many strides, got \(strides?.count ?? 0)")
        }
        guard offset >= 0 else { throw Self.wrong("an offset is 0 or more, got \(offset)") }
        count = try Self.count(shape, format)
        self.format = format
        self.shape = shape
        // Without items any step and any place would do: only these overflow nowhere.
        self.strides = count > 0 ? strides ?? Self.strides(shape, format) : Self.strides(shape, format)
        self.offset = count > 0 ? offset : 0
        try check(within: length)
    }

    /// - Parameter format: and all else, known to be sound.
    init(unchecked format: ElementFormat, shape: [Int], strides: [Int], offset: Int) {
        self.format = format
        self.shape = shape
        self.strides = strides
        self.offset = offset
        count = shape.reduce(1, *)
    }

    public var rank: Int { shape.count }
    /// Bytes of all items when they stand one after the other.
    public var byteCount: Int { count * format.size }

    /// Whether the items stand one after the other, the last axis running fastest.
    public var isCOrder: Bool { count == 0 || isDense(axes: shape.indices.reversed()) }
    /// Whether the items stand one after the other, the first axis running fastest.
    public var isFortranOrder: Bool { count == 0 || isDense(axes: Array(shape.indices)) }

    private func isDense(axes: some Sequence<Int>) -> Bool {
        var step = format.size
        for axis in axes where shape[axis] != 1 {
            if strides[axis] != step { return false }
            step *= shape[axis]
        }
        return true
    }

    /// From the lowest byte that an item has to the highest one; empty at the offset where there are no items.
    public var itemRange: Range<Int> {
        guard count > 0 else { return offset..<offset }
        var (low, high) = (offset, offset)
        for (extent, stride) in zip(shape, strides) {
            if stride < 0 { low += (extent - 1) * stride } else { high += (extent - 1) * stride }
        }
        return low..<high + format.size
    }

    /// - Throws: `buffer/range` when an item lies outside so many bytes.
    public func check(within length: Int?) throws(Failure) {
        guard let range = checkedRange() else {
            throw Self.wrong("shape \(shape) with strides \(strides) and offset \(offset) cannot be addressed")
        }
        guard range.low >= 0 else { throw Self.wrong("items would begin at byte \(range.low), before the first") }
        if let length, range.high > length {
            throw Self.wrong(
                "\(format.rawValue) items of shape \(shape) end at byte \(range.high), and there are \(length) bytes")
        }
    }

    /// As `itemRange`, nil where it overflows.
    private func checkedRange() -> (low: Int, high: Int)? {
        guard count > 0 else { return (offset, offset) }
        var (low, high) = (offset, offset)
        for (extent, stride) in zip(shape, strides) {
            let (span, isTooFar) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (end, isBeyond) = (stride < 0 ? low : high).addingReportingOverflow(span)
            if isTooFar || isBeyond { return nil }
            if stride < 0 { low = end } else { high = end }
        }
        let (end, isBeyond) = high.addingReportingOverflow(format.size)
        return isBeyond ? nil : (low, end)
    }

    /// The items of a shape. Axes without items do not excuse the others: C strides of each shape fit an `Int`.
    private static func count(_ shape: [Int], _ format: ElementFormat) throws(Failure) -> Int {
        var size = format.size
        for extent in shape {
            guard extent >= 0 else { throw wrong("an axis has 0 items or more, got \(extent) in shape \(shape)") }
            let (product, isTooLarge) = size.multipliedReportingOverflow(by: max(1, extent))
            guard !isTooLarge else { throw wrong("\(format.rawValue) items of shape \(shape) are too many to address") }
            size = product
        }
        return shape.contains(0) ? 0 : size / format.size
    }

    /// The strides of C order.
    private static func strides(_ shape: [Int], _ format: ElementFormat) -> [Int] {
        var strides = [Int](repeating: 0, count: shape.count)
        var step = format.size
        for axis in shape.indices.reversed() {
            strides[axis] = step
            step *= max(1, shape[axis])
        }
        return strides
    }

    static func wrong(_ message: String) -> Failure { Failure("buffer/range", message) }
}
