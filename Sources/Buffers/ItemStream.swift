import Language

/// The items of an array in C order, some at a time, as elements of one type.
///
/// Whoever reads needs one loop, over neighbours, whatever the array's layout and format are.
///
/// A closure and no class to inherit from: a generic class's overridden methods are not specialised.
struct ItemSource<T: Element> {
    /// How many items are asked for at a time, at most: few enough to stay in the processor's nearest cache.
    static var step: Int { 2_048 }

    private let body: (Int) throws(Failure) -> UnsafePointer<T>

    init(_ body: @escaping (Int) throws(Failure) -> UnsafePointer<T>) {
        self.body = body
    }

    /// The next `count` items, at most `step`; valid until the next call.
    ///
    /// - Throws: what a conversion does.
    func next(_ count: Int) throws(Failure) -> UnsafePointer<T> {
        try body(count)
    }
}

/// The items as they are. Those that stand one after the other are lent where they stand; others are gathered.
final class ItemStream<T: Element> {
    /// Safety: the reader keeps the storage for as long as the stream.
    private var base: UnsafeRawPointer?
    /// The axis that runs fastest: its items, and the bytes between them.
    private let run: Int
    private let stride: Int
    /// The next slower axis.
    private let rowCount: Int
    private let rowStride: Int
    private var rows = 0
    /// Further axes, the slowest first.
    private let extents: [Int]
    private let strides: [Int]
    private var index: [Int]
    /// Where the row begins, from `base`, and how many of its items were taken.
    private var row = 0
    private var taken = 0
    /// Safety: freed in `deinit` only.
    private var scratch: UnsafeMutablePointer<T>?
    /// Whether all items are one.
    private let isConstant: Bool
    private var isAligned: Bool
    private let stridesAreAligned: Bool

    /// - Parameter bytes: those that the layout is of, which stay longer than the stream.
    init(_ layout: ArrayLayout, _ bytes: UnsafeRawBufferPointer) {
        var (extents, strides): ([Int], [Int]) = ([], [])
        // Axes of one item go, and those are joined that continue each other.
        for (extent, stride) in zip(layout.shape, layout.strides) where extent != 1 {
            if let last = strides.last, last == stride * extent {
                extents[extents.count - 1] *= extent
                strides[strides.count - 1] = stride
            } else {
                extents.append(extent)
                strides.append(stride)
            }
        }
        run = extents.popLast() ?? 1
        stride = strides.popLast() ?? MemoryLayout<T>.stride
        isConstant = extents.isEmpty && stride == 0
        rowCount = extents.popLast() ?? 1
        rowStride = strides.popLast() ?? 0
        (self.extents, self.strides) = (extents, strides)
        index = [Int](repeating: 0, count: extents.count)
        base = bytes.baseAddress.map { $0 + layout.offset }
        stridesAreAligned = layout.strides.allSatisfy { $0.isMultiple(of: MemoryLayout<T>.alignment) }
        isAligned = stridesAreAligned && Int(bitPattern: base).isMultiple(of: MemoryLayout<T>.alignment)
        if isConstant, layout.count > 0 { gather(min(layout.count, ItemSource<T>.step), into: memory()) }
    }

    deinit {
        scratch?.deallocate()
    }

    /// Begins anew as if the layout had another offset.
    func restart(at offset: Int, _ bytes: UnsafeRawBufferPointer) {
        base = bytes.baseAddress.map { $0 + offset }
        isAligned = stridesAreAligned && Int(bitPattern: base).isMultiple(of: MemoryLayout<T>.alignment)
        row = 0
        rows = 0
        taken = 0
        for axis in index.indices { index[axis] = 0 }
        if isConstant, run > 0 { gather(min(run, ItemSource<T>.step), into: memory()) }
    }

    func next(_ count: Int) -> UnsafePointer<T> {
        if isConstant { return UnsafePointer(memory()) }
        if stride == MemoryLayout<T>.stride, isAligned, count <= run - taken, let base {
            let start = base + row + taken * stride
            taken += count
            if taken == run { advance() }
            return start.assumingMemoryBound(to: T.self)
        }
        let memory = memory()
        gather(count, into: memory)
        return UnsafePointer(memory)
    }

    /// Copies the next items, any number of them.
    func copy(_ count: Int, to out: UnsafeMutablePointer<T>) {
        guard !isConstant else { return out.update(repeating: memory().pointee, count: count) }
        gather(count, into: out)
    }

    private func memory() -> UnsafeMutablePointer<T> {
        if let scratch { return scratch }
        let new = UnsafeMutablePointer<T>.allocate(capacity: ItemSource<T>.step)
        scratch = new
        return new
    }

    private func gather(_ count: Int, into out: UnsafeMutablePointer<T>) {
        guard let base else { return }
        // In locals, because rows may be as short as two items.
        let (run, stride) = (run, stride)
        var filled = 0
        while filled < count {
            let part = min(run - taken, count - filled)
            let start = base + row + taken * stride
            if stride == MemoryLayout<T>.stride, part > 8 {
                UnsafeMutableRawPointer(out + filled).copyMemory(from: start, byteCount: part * stride)
            } else {
                for item in 0..<part {
                    out[filled + item] = start.loadUnaligned(fromByteOffset: item * stride, as: T.self)
                }
            }
            filled += part
            taken += part
            if taken == run { advance() }
        }
    }

    /// On to the next row; after the last one back to the first.
    @inline(__always) private func advance() {
        taken = 0
        row += rowStride
        rows += 1
        if rows == rowCount { carry() }
    }

    private func carry() {
        rows = 0
        row -= rowStride * rowCount
        for axis in extents.indices.reversed() {
            index[axis] += 1
            row += strides[axis]
            if index[axis] < extents[axis] { return }
            row -= strides[axis] * extents[axis]
            index[axis] = 0
        }
    }
}

/// Items as the wide type of their kind.
final class WideStream<T: Element> {
    private let source: ItemStream<T>
    /// Safety: freed in `deinit` only.
    private let scratch = UnsafeMutablePointer<T.Wide>.allocate(capacity: ItemSource<T.Wide>.step)

    init(_ source: ItemStream<T>) {
        self.source = source
    }

    deinit {
        scratch.deallocate()
    }

    func next(_ count: Int) -> UnsafePointer<T.Wide> {
        let items = source.next(count)
        for item in 0..<count { scratch[item] = items[item].wide }
        return UnsafePointer(scratch)
    }
}

/// Items of a wide type as those of another format, each checked.
final class NarrowStream<W: WideElement, T: Element> {
    private let source: ItemSource<W>
    private let shape: [Int]
    private var passed = 0
    /// Safety: freed in `deinit` only.
    private let scratch = UnsafeMutablePointer<T>.allocate(capacity: ItemSource<T>.step)

    /// - Parameter shape: of the items, to say where one does not fit.
    init(_ source: ItemSource<W>, shape: [Int]) {
        self.source = source
        self.shape = shape
    }

    deinit {
        scratch.deallocate()
    }

    /// - Throws: `eval/overflow` for the first item that does not fit, with its index.
    func next(_ count: Int) throws(Failure) -> UnsafePointer<T> {
        let items = try source.next(count)
        var fit = true
        for item in 0..<count {
            let (narrow, fits) = W.narrow(items[item], to: T.self)
            scratch[item] = narrow
            fit = fit && fits
        }
        guard fit else { throw misfit(items, count) }
        passed += count
        return UnsafePointer(scratch)
    }

    private func misfit(_ items: UnsafePointer<W>, _ count: Int) -> Failure {
        let item = (0..<count).first { !W.narrow(items[$0], to: T.self).1 } ?? 0
        return .misfit(items[item].value, T.format, at: ArrayLayout.index(ofItem: passed + item, in: shape))
    }
}
