import Language

extension NumericArray {
    /// The items as elements of a type, in the order of a layout of this array's bytes.
    ///
    /// - Parameter bytes: of the storage, lent for longer than the source.
    func source<T: Element>(
        of type: T.Type, _ layout: ArrayLayout, _ bytes: UnsafeRawBufferPointer
    ) throws(Failure) -> ItemSource<T> {
        try format.accept(Opening<T>(layout: layout, bytes: bytes))
    }

    /// The same items in another format; the array itself where it has that one.
    ///
    /// - Throws: `eval/overflow` for the first item that does not fit, with its index: whole formats take whole numbers in
    ///   their range, bool 0 and 1, floats any number, rounded, that is not beyond their range, and only complex ones what
    ///   has an imaginary part. `buffer/memory`.
    public func converted(to format: ElementFormat) throws(Failure) -> NumericArray {
        format == self.format ? self : try format.accept(Converting(array: self))
    }
}

private struct Opening<T: Element>: ElementVisitor {
    let layout: ArrayLayout
    let bytes: UnsafeRawBufferPointer

    func visit<S: Element>(_ type: S.Type) -> ItemSource<T> {
        let stream = ItemStream<S>(layout, bytes)
        let plain = ItemSource<S> { stream.next($0) }
        if let same = plain as? ItemSource<T> { return same }
        let wide = plain as? ItemSource<S.Wide> ?? Self.widened(stream)
        return wide as? ItemSource<T> ?? narrowed(wide)
    }

    private static func widened<S: Element>(_ stream: ItemStream<S>) -> ItemSource<S.Wide> {
        let wide = WideStream(stream)
        return ItemSource { wide.next($0) }
    }

    private func narrowed<W: WideElement>(_ wide: ItemSource<W>) -> ItemSource<T> {
        let narrow = NarrowStream<W, T>(wide, shape: layout.shape)
        return ItemSource { count throws(Failure) in try narrow.next(count) }
    }
}

private struct Converting: ElementVisitor {
    let array: NumericArray

    func visit<T: Element>(_ type: T.Type) throws(Failure) -> NumericArray {
        try NumericArray(shape: array.shape) { (out: ItemsOut<T>) throws(Failure) in
            try array.storage.withBytes { bytes throws(Failure) in
                let source = try array.source(of: T.self, array.layout, bytes)
                for start in stride(from: 0, to: out.count, by: ItemSource<T>.step) {
                    let count = min(ItemSource<T>.step, out.count - start)
                    (out.start + start).update(from: try source.next(count), count: count)
                }
            }
        }
    }
}
