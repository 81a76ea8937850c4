/// What to take of an axis.
public enum AxisSelection: Hashable, Sendable {
    /// One item, from the end when negative; the axis goes.
    case index(Int)
    /// From start up to end in steps, as `slice` and `range` have them: from the end when negative, cut to what there is.
    /// A negative step runs down; what is left out is the whole axis.
    case range(start: Int? = nil, end: Int? = nil, step: Int = 1)

    public static var all: AxisSelection { .range() }
}

/// Layouts of a part of the same items, or of the same items seen otherwise. None of them moves a byte.
extension ArrayLayout {
    /// Where the item at an index begins; negative numbers count from the end of their axis.
    ///
    /// - Throws: `eval/index` for another count of numbers than of axes, or one outside its axis.
    public func byteOffset(of index: [Int]) throws(Failure) -> Int {
        guard index.count == rank else {
            throw Failure("eval/index", "an item of shape \(shape) takes \(rank) indexes, got \(index.count)")
        }
        var place = offset
        for axis in index.indices { place += try position(index[axis], axis: axis) * strides[axis] }
        return place
    }

    /// An index from the start of its axis.
    func position(_ index: Int, axis: Int) throws(Failure) -> Int {
        let extent = shape[axis]
        guard index < extent, index >= -extent else {
            throw Failure("eval/index", "index \(index) is outside axis \(axis) of \(extent)")
        }
        return index < 0 ? index + extent : index
    }

    /// The part that is chosen on each axis from the first one on; further axes stay whole.
    ///
    /// - Throws: `eval/index` for too many selections or an index outside its axis, `buffer/range` for a step of 0.
    public func selecting(_ selections: [AxisSelection]) throws(Failure) -> ArrayLayout {
        guard selections.count <= rank else {
            throw Failure("eval/index", "an array of shape \(shape) has \(rank) axes, got \(selections.count) indexes")
        }
        var (shape, strides, offset): ([Int], [Int], Int) = ([], [], self.offset)
        for axis in self.shape.indices {
            switch axis < selections.count ? selections[axis] : .all {
            case .index(let index): offset += try position(index, axis: axis) * self.strides[axis]
            case .range(let start, let end, let step):
                let taken = try Self.taken(self.shape[axis], start, end, step)
                shape.append(taken.count)
                // A step longer than an axis takes one item, whose stride is never walked.
                strides.append(taken.count > 1 ? self.strides[axis] * step : self.strides[axis])
                if taken.count > 0 { offset += taken.first * self.strides[axis] }
            }
        }
        guard !shape.contains(0) else { return try ArrayLayout(format, shape: shape) }
        return ArrayLayout(unchecked: format, shape: shape, strides: strides, offset: offset)
    }

    /// Where a range begins on an axis, and how many items it takes.
    private static func taken(
        _ extent: Int, _ start: Int?, _ end: Int?, _ step: Int
    ) throws(Failure) -> (first: Int, count: Int) {
        guard step != 0 else { throw wrong("a step is 1 or more, or negative, got 0") }
        // Down an axis, "before the first item" is a place too.
        let bounds = step > 0 ? 0...extent : -1...extent - 1
        func place(_ given: Int) -> Int {
            let place = given < 0 ? given + extent : given
            return min(max(place, bounds.lowerBound), bounds.upperBound)
        }
        let first = start.map(place) ?? (step > 0 ? bounds.lowerBound : bounds.upperBound)
        let last = end.map(place) ?? (step > 0 ? bounds.upperBound : bounds.lowerBound)
        let distance = step > 0 ? last - first : first - last
        guard distance > 0 else { return (first, 0) }
        return (first, 1 + (distance - 1) / Int(clamping: step.magnitude))
    }

    /// The same items in another shape, in C order; one extent may be -1, which is what is left for it. Nil where the items
    /// do not lie so that no byte has to move.
    ///
    /// - Throws: `buffer/range` for a shape of another count.
    public func reshaped(_ shape: [Int]) throws(Failure) -> ArrayLayout? {
        let whole = try ArrayLayout(format, shape: try filled(shape))
        guard whole.count == count else {
            throw Self.wrong("\(count) items of shape \(self.shape) do not have the shape \(shape)")
        }
        guard isCOrder else { return nil }
        return ArrayLayout(unchecked: format, shape: whole.shape, strides: whole.strides, offset: offset)
    }

    /// The shape with what is left in place of a -1.
    private func filled(_ shape: [Int]) throws(Failure) -> [Int] {
        guard let place = shape.firstIndex(of: -1) else { return shape }
        var rest = shape
        rest[place] = 1
        let known = try ArrayLayout(format, shape: rest).count
        guard known > 0, count.isMultiple(of: known) else {
            throw Self.wrong("\(count) items of shape \(self.shape) do not have the shape \(shape)")
        }
        rest[place] = count / known
        return rest
    }

    /// The axes in another order; from the last to the first without one. Negative numbers count from the last axis.
    ///
    /// - Throws: `eval/index` unless each axis is named once.
    public func transposed(_ axes: [Int]? = nil) throws(Failure) -> ArrayLayout {
        var order: [Int] = []
        for axis in axes ?? shape.indices.reversed() { order.append(try self.axis(axis)) }
        guard order.count == rank, Set(order).count == rank else {
            throw Failure("eval/index", "each of \(rank) axes is named once, got \(order)")
        }
        return ArrayLayout(
            unchecked: format, shape: order.map { shape[$0] }, strides: order.map { strides[$0] }, offset: offset)
    }

    /// A number of an axis from the first one; negative numbers count from the last.
    ///
    /// - Throws: `eval/index`.
    public func axis(_ number: Int) throws(Failure) -> Int {
        guard number < rank, number >= -rank else {
            throw Failure("eval/index", "an array of shape \(shape) has no axis \(number)")
        }
        return number < 0 ? number + rank : number
    }

    /// The number of the axis of that name.
    ///
    /// - Throws: `eval/index`, with the names that there are.
    public static func axis(named name: String, of names: [String]) throws(Failure) -> Int {
        guard let axis = names.firstIndex(where: { Key($0) == Key(name) }) else {
            throw Failure(
                "eval/index", "no axis is named \(Printer.quoted(name))",
                help: names.isEmpty ? nil : "the axes are \(names.joined(separator: ", "))")
        }
        return axis
    }

    /// The layout in a larger shape, an axis of 1 or a missing one standing still where the larger one moves (NumPy's
    /// broadcasting). Nil where the shapes do not go together.
    ///
    /// - Throws: `buffer/range` for a shape that is none.
    public func broadcast(to shape: [Int]) throws(Failure) -> ArrayLayout? {
        _ = try ArrayLayout(format, shape: shape)
        guard shape.count >= rank else { return nil }
        let missing = shape.count - rank
        var strides = [Int](repeating: 0, count: shape.count)
        for axis in self.shape.indices {
            if self.shape[axis] == shape[missing + axis] {
                strides[missing + axis] = self.strides[axis]
            } else if self.shape[axis] != 1 {
                return nil
            }
        }
        return ArrayLayout(unchecked: format, shape: shape, strides: strides, offset: offset)
    }

    /// The shape that two arrays are broadcast to.
    ///
    /// - Throws: `buffer/shape` where an axis has neither the same extent in both nor 1 in one; `buffer/range`.
    public static func commonShape(_ a: ArrayLayout, _ b: ArrayLayout) throws(Failure) -> [Int] {
        var shape: [Int] = []
        for place in stride(from: 1, through: max(a.rank, b.rank), by: 1) {
            let x = place <= a.rank ? a.shape[a.rank - place] : 1
            let y = place <= b.rank ? b.shape[b.rank - place] : 1
            guard x == y || x == 1 || y == 1 else {
                throw Failure("buffer/shape", "shapes \(a.shape) and \(b.shape) do not meet: \(x) and \(y) items")
            }
            shape.append(x == 1 ? y : x)
        }
        return try ArrayLayout(.complex128, shape: shape.reversed()).shape
    }

    /// The layout without the axis, and with it alone: what is walked outside and inside of an operation along it.
    public func split(axis: Int) -> (outer: ArrayLayout, inner: ArrayLayout) {
        var (shape, strides) = (shape, strides)
        let inner = ArrayLayout(
            unchecked: format, shape: [shape.remove(at: axis)], strides: [strides.remove(at: axis)], offset: offset)
        return (ArrayLayout(unchecked: format, shape: shape, strides: strides, offset: offset), inner)
    }
}
