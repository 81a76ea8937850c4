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
        return try reduction.accept(array.format, AxisReduction(array: array, axis: axis))
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
