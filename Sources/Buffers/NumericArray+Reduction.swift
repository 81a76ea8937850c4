import Language

extension NumericArray {
    /// All items made into one value. A sum or product of whole numbers is exact at any size; an index is a number, or a
    /// vector of one for each axis where there are several.
    ///
    /// - Throws: `eval/size` for no items where that has no answer; `eval/type` for complex numbers where they have none;
    ///   `eval/overflow` for a product of millions of bits; `buffer/memory`.
    public func reduced(_ reduction: Reduction) throws(Failure) -> Value {
        try checkItems(reduction, count)
        let (reduction, array) = try comparable(reduction)
        let value = try reduction.accept(format, WholeReducing(array: array))
        guard case .int(let place) = value, reduction.isIndex, rank > 1 else { return value }
        return .vector(Items(ArrayLayout.index(ofItem: place, in: shape).map { .int($0) }))
    }

    /// The items along an axis made into one each: an array without that axis. Negative numbers count from the last.
    ///
    /// Sums and products of whole numbers are `int64` (`uint64` of that), indexes `int64`, means and variances of them
    /// `float64`; `any` and `all` bools; all else has the array's format.
    ///
    /// - Throws: as over the whole array, and `eval/index` for an axis that there is not; `eval/overflow` where a sum or
    ///   product does not fit 64 bits.
    public func reduced(_ reduction: Reduction, axis: Int) throws(Failure) -> NumericArray {
        let axis = try layout.axis(axis)
        try checkItems(reduction, shape[axis])
        let (reduction, array) = try comparable(reduction)
        return try reduction.accept(array.format, AxisReducing(array: array, axis: axis))
    }

    private func checkItems(_ reduction: Reduction, _ count: Int) throws(Failure) {
        guard count > 0 || reduction.takesNone else {
            throw Failure("eval/size", "\(reduction.name) takes at least one item, and shape \(shape) has none")
        }
    }

    /// Bools have their own words for least and greatest, and their bytes an order.
    private func comparable(_ reduction: Reduction) throws(Failure) -> (Reduction, NumericArray) {
        guard format == .bool else { return (reduction, self) }
        switch reduction {
        case .minimum: return (.all, self)
        case .maximum: return (.any, self)
        case .indexOfMinimum, .indexOfMaximum:
            let bytes = try ArrayLayout(.uint8, shape: shape, strides: layout.strides, offset: layout.offset)
            return (reduction, try NumericArray(bytes, storage))
        case .sum, .product, .mean, .variance, .standardDeviation, .any, .all: return (reduction, self)
        }
    }
}

extension Reduction {
    fileprivate var isIndex: Bool { self == .indexOfMinimum || self == .indexOfMaximum }
}

private struct WholeReducing: ReducerVisitor {
    let array: NumericArray

    func visit<R: Reducer>(_ reducer: R) throws(Failure) -> Value {
        var state = reducer.initial
        try array.storage.withBytes { bytes throws(Failure) in
            let source = ItemStream<R.Item>(array.layout, bytes)
            for start in stride(from: 0, to: array.count, by: ItemSource<R.Item>.step) {
                let count = min(ItemSource<R.Item>.step, array.count - start)
                reducer.add(source.next(count), count, to: &state)
                if reducer.isSettled(state) { break }
            }
        }
        return try reducer.value(state, count: array.count)
    }
}

/// Along an axis. Where other items are nearer in memory than the next one of the axis, several results are made at a time
/// from pieces that are turned round in the cache.
private struct AxisReducing: ReducerVisitor {
    let array: NumericArray
    let axis: Int

    private static var columns: Int { 16 }
    private static var rows: Int { 128 }

    func visit<R: Reducer>(_ reducer: R) throws(Failure) -> NumericArray {
        let (outer, inner) = array.layout.split(axis: axis)
        return try NumericArray(shape: outer.shape) { (out: ItemsOut<R.Output>) throws(Failure) in
            guard out.count > 0 else { return }
            try array.storage.withBytes { bytes throws(Failure) in
                try fill(out, reducer, outer, inner, bytes)
            }
        }
    }

    private func fill<R: Reducer>(
        _ out: ItemsOut<R.Output>, _ reducer: R, _ outer: ArrayLayout, _ inner: ArrayLayout,
        _ bytes: UnsafeRawBufferPointer
    ) throws(Failure) {
        let run = outer.shape.last ?? 1
        let step = outer.strides.last ?? 0
        let isTurned = inner.count > 1 && step.magnitude < (inner.strides.first ?? 0).magnitude
        let stream = ItemStream<R.Item>(inner, bytes)
        let tile = UnsafeMutablePointer<R.Item>.allocate(capacity: Self.columns * Self.rows)
        defer { tile.deallocate() }
        var states = [R.State](repeating: reducer.initial, count: Self.columns)
        for row in stride(from: 0, to: out.count, by: run) {
            let index = ArrayLayout.index(ofItem: row, in: outer.shape)
            let start = zip(index, outer.strides).reduce(outer.offset) { $0 + $1.0 * $1.1 }
            for first in stride(from: 0, to: run, by: isTurned ? Self.columns : 1) {
                let width = isTurned ? min(Self.columns, run - first) : 1
                for column in 0..<width { states[column] = reducer.initial }
                if isTurned {
                    turn(reducer, bytes, start + first * step, step, inner, width, tile, &states)
                } else {
                    stream.restart(at: start + first * step, bytes)
                    along(reducer, stream, inner.count, &states[0])
                }
                for column in 0..<width {
                    out.start[row + first + column] = try item(reducer, states[column], inner.count, row + first + column, outer)
                }
            }
        }
    }

    private func along<R: Reducer>(
        _ reducer: R, _ stream: ItemStream<R.Item>, _ count: Int, _ state: inout R.State
    ) {
        for start in stride(from: 0, to: count, by: ItemSource<R.Item>.step) {
            let piece = min(ItemSource<R.Item>.step, count - start)
            reducer.add(stream.next(piece), piece, to: &state)
        }
    }

    private func turn<R: Reducer>(
        _ reducer: R, _ bytes: UnsafeRawBufferPointer, _ start: Int, _ step: Int, _ inner: ArrayLayout, _ width: Int,
        _ tile: UnsafeMutablePointer<R.Item>, _ states: inout [R.State]
    ) {
        let stride = inner.strides[0]
        for first in Swift.stride(from: 0, to: inner.count, by: Self.rows) {
            let rows = min(Self.rows, inner.count - first)
            for row in 0..<rows {
                let place = start + (first + row) * stride
                for column in 0..<width {
                    tile[column * Self.rows + row] = bytes.loadUnaligned(
                        fromByteOffset: place + column * step, as: R.Item.self)
                }
            }
            for column in 0..<width { reducer.add(tile + column * Self.rows, rows, to: &states[column]) }
        }
    }

    private func item<R: Reducer>(
        _ reducer: R, _ state: R.State, _ count: Int, _ place: Int, _ outer: ArrayLayout
    ) throws(Failure) -> R.Output {
        do throws(Failure) {
            return try reducer.item(state, count: count)
        } catch {
            let index = ArrayLayout.index(ofItem: place, in: outer.shape).placeText
            throw Failure(error.code, error.message + index, help: error.help)
        }
    }
}
