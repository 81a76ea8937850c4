import Language

/// A reduction along an axis.
///
/// Results are made one after the other where the axis's items are neighbours. Where other items are nearer, or the axis is
/// short, many results are made side by side, so that memory is read in its order: item by item where the reducer can, else
/// from pieces that are turned round in the cache.
struct AxisReduction: ReducerVisitor {
    let array: NumericArray
    let axis: Int

    func visit<R: Reducer>(_ reducer: R) throws(Failure) -> NumericArray {
        let (outer, inner) = array.layout.split(axis: axis)
        return try NumericArray(shape: outer.shape) { (out: ItemsOut<R.Output>) throws(Failure) in
            guard out.count > 0 else { return }
            try array.storage.withBytes { bytes throws(Failure) in
                guard let base = bytes.baseAddress, inner.count > 0 else {
                    for place in 0..<out.count { out.start[place] = try reducer.item(reducer.initial, count: 0) }
                    return
                }
                let lines = ReducedLines(reducer: reducer, base: base, bytes: bytes, outer: outer, inner: inner)
                try lines.fill(out)
            }
        }
    }
}

/// All lines of an array along one axis, of at least one item each.
private struct ReducedLines<R: Reducer> {
    let reducer: R
    /// Safety: the reduction keeps the storage for as long as this.
    let base: UnsafeRawPointer
    let bytes: UnsafeRawBufferPointer
    let outer: ArrayLayout
    let inner: ArrayLayout

    /// Bytes from one item of a line to the next.
    private var stride: Int { inner.strides[0] }
    /// The axis on which neighbouring results lie: how many, and the bytes between the lines.
    private var run: Int { outer.shape.last ?? 1 }
    private var step: Int { outer.strides.last ?? 0 }

    func fill(_ out: ItemsOut<R.Output>) throws(Failure) {
        let isAcross = inner.count > 1 && step.magnitude < stride.magnitude
        for row in Swift.stride(from: 0, to: out.count, by: run) {
            let index = ArrayLayout.index(ofItem: row, in: outer.shape)
            let start = zip(index, outer.strides).reduce(outer.offset) { $0 + $1.0 * $1.1 }
            if reducer.hasPieces && (isAcross || inner.count <= 32 && run > 16) {
                try fillByPieces(out, row, start)
            } else if isAcross {
                try fillByTiles(out, row, start)
            } else {
                try fillByLines(out, row, start)
            }
        }
    }

    private func fillByLines(_ out: ItemsOut<R.Output>, _ row: Int, _ start: Int) throws(Failure) {
        let stream = ItemStream<R.Item>(inner, bytes)
        for column in 0..<run {
            stream.restart(at: start + column * step, bytes)
            var state = reducer.initial
            for first in Swift.stride(from: 0, to: inner.count, by: ItemSource<R.Item>.step) {
                let count = min(ItemSource<R.Item>.step, inner.count - first)
                reducer.add(stream.next(count), count, to: &state)
                if reducer.isSettled(state) { break }
            }
            out.start[row + column] = try item(state, row + column)
        }
    }

    /// Lines side by side, and items of each that are taken at a time.
    private static var width: Int { 1_024 }
    private static var depth: Int { 128 }

    private func fillByPieces(_ out: ItemsOut<R.Output>, _ row: Int, _ start: Int) throws(Failure) {
        let pieces = UnsafeMutablePointer<R.Piece>.allocate(capacity: Self.width)
        defer { pieces.deallocate() }
        for first in Swift.stride(from: 0, to: run, by: Self.width) {
            let width = min(Self.width, run - first)
            var states = [R.State](repeating: reducer.initial, count: width)
            for top in Swift.stride(from: 0, to: inner.count, by: Self.depth) {
                let depth = min(Self.depth, inner.count - top)
                let corner = base + start + first * step + top * stride
                begin(pieces, corner, width)
                for item in 1..<max(1, depth) { extend(pieces, corner + item * stride, width) }
                for column in 0..<width { reducer.take(pieces[column], depth, into: &states[column]) }
            }
            for column in 0..<width {
                out.start[row + first + column] = try item(states[column], row + first + column)
            }
        }
    }

    private func begin(_ pieces: UnsafeMutablePointer<R.Piece>, _ items: UnsafeRawPointer, _ count: Int) {
        for column in 0..<count {
            pieces[column] = reducer.begin(items.loadUnaligned(fromByteOffset: column * step, as: R.Item.self))
        }
    }

    private func extend(_ pieces: UnsafeMutablePointer<R.Piece>, _ items: UnsafeRawPointer, _ count: Int) {
        if step == MemoryLayout<R.Item>.stride {
            for column in 0..<count {
                let place = column * MemoryLayout<R.Item>.stride
                reducer.extend(&pieces[column], items.loadUnaligned(fromByteOffset: place, as: R.Item.self))
            }
            return
        }
        for column in 0..<count {
            reducer.extend(&pieces[column], items.loadUnaligned(fromByteOffset: column * step, as: R.Item.self))
        }
    }

    /// Sides of a tile, which fits the second cache.
    private static var columns: Int { 64 }
    private static var rows: Int { 128 }

    private func fillByTiles(_ out: ItemsOut<R.Output>, _ row: Int, _ start: Int) throws(Failure) {
        let tile = UnsafeMutablePointer<R.Item>.allocate(capacity: Self.columns * Self.rows)
        defer { tile.deallocate() }
        for first in Swift.stride(from: 0, to: run, by: Self.columns) {
            let width = min(Self.columns, run - first)
            var states = [R.State](repeating: reducer.initial, count: width)
            for top in Swift.stride(from: 0, to: inner.count, by: Self.rows) {
                let depth = min(Self.rows, inner.count - top)
                turn(base + start + first * step + top * stride, width, depth, into: tile)
                for column in 0..<width { reducer.add(tile + column * Self.rows, depth, to: &states[column]) }
            }
            for column in 0..<width {
                out.start[row + first + column] = try item(states[column], row + first + column)
            }
        }
    }

    private func turn(
        _ corner: UnsafeRawPointer, _ width: Int, _ depth: Int, into tile: UnsafeMutablePointer<R.Item>
    ) {
        for item in 0..<depth {
            let items = corner + item * stride
            for column in 0..<width {
                tile[column * Self.rows + item] = items.loadUnaligned(fromByteOffset: column * step, as: R.Item.self)
            }
        }
    }

    private func item(_ state: R.State, _ place: Int) throws(Failure) -> R.Output {
        do throws(Failure) {
            return try reducer.item(state, count: inner.count)
        } catch {
            let index = ArrayLayout.index(ofItem: place, in: outer.shape).placeText
            throw Failure(error.code, error.message + index, help: error.help)
        }
    }
}
