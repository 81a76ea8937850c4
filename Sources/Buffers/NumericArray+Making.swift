import Language

/// Where an array under construction gets its items: memory for exactly `count`, set to nothing yet.
struct ItemsOut<T: Element> {
    let start: UnsafeMutablePointer<T>
    let count: Int
}

extension NumericArray {
    /// A new array in C order of the element's format. The body sets every item, or throws.
    ///
    /// - Throws: `buffer/range`, `buffer/memory`, and what the body does.
    convenience init<T: Element>(
        shape: [Int], filling body: (ItemsOut<T>) throws(Failure) -> Void
    ) throws(Failure) {
        let layout = try ArrayLayout(T.format, shape: shape)
        let block = try HeapBlock(byteCount: layout.byteCount)
        let start = block.start.bindMemory(to: T.self, capacity: layout.count)
        try body(ItemsOut(start: start, count: layout.count))
        try self.init(layout, Storage(block))
    }

    /// An array of vectors or lists in each other, of one item for a number or bool.
    ///
    /// - Parameter format: of the items. Without one bools are `bool`; whole numbers `int64`, or `uint64` when one of them is
    ///   too large; with floats among them `float64`, with complex numbers `complex128`; nothing is `float64`.
    /// - Throws: `buffer/shape` where vectors that belong together have different counts; `eval/type` for what is no number,
    ///   and bools among numbers; `eval/overflow` for what the format does not hold; each with its path.
    public convenience init(values: Value, format: ElementFormat? = nil) throws(Failure) {
        var shape: [Int] = []
        var first = try values.unwrapped()
        while let items = first.arrayItems {
            shape.append(items.count)
            guard let next = items.first, shape.count <= ArrayLayout.maximumRank else { break }
            first = try next.unwrapped()
        }
        var survey = Survey(shape: shape)
        if format == nil || !shape.isEmpty { try survey.look(at: values, path: []) }
        let layout = try ArrayLayout(format ?? survey.format, shape: shape)
        let made = try layout.format.accept(Gathering(values: values, layout: layout))
        try self.init(made.layout, made.storage)
    }
}

/// A first look at nested values: whether they make an array, and of what.
private struct Survey {
    let shape: [Int]
    private var seen: ElementFormat?

    init(shape: [Int]) {
        self.shape = shape
    }

    var format: ElementFormat { seen ?? .float64 }

    mutating func look(at value: Value, path: [Int]) throws(Failure) {
        let data = try value.unwrapped()
        guard path.count < shape.count else {
            if let items = data.arrayItems { throw ragged("a number", items.count, path) }
            return try note(try Scalar(data, at: path), path)
        }
        guard let items = data.arrayItems else { throw ragged("\(shape[path.count]) items", nil, path) }
        guard items.count == shape[path.count] else { throw ragged("\(shape[path.count]) items", items.count, path) }
        for (place, item) in items.enumerated() { try look(at: item, path: path + [place]) }
    }

    private mutating func note(_ scalar: Scalar, _ path: [Int]) throws(Failure) {
        // What is too large for a word is a float only among floats; alone the filling says that it does not fit.
        let format = scalar.format ?? .int64
        guard let known = seen, known != format else {
            seen = format
            return
        }
        switch (known.kind, format.kind) {
        case (.boolean, _), (_, .boolean): seen = .bool
        case (.signed, .unsigned), (.unsigned, .signed): seen = .uint64
        default: seen = known.promoted(with: format)
        }
    }

    private func ragged(_ wanted: String, _ count: Int?, _ path: [Int]) -> Failure {
        let given = count.map { "a vector of \($0)" } ?? "a number"
        return Failure(
            "buffer/shape",
            "an array's vectors have one count on each level: \(wanted) expected\(path.placeText), got \(given)")
    }
}

private struct Gathering: ElementVisitor {
    let values: Value
    let layout: ArrayLayout

    func visit<T: Element>(_ type: T.Type) throws(Failure) -> NumericArray {
        try NumericArray(shape: layout.shape) { (out: ItemsOut<T>) throws(Failure) in
            var place = 0
            try fill(values, path: [], out, &place)
        }
    }

    private func fill<T: Element>(
        _ value: Value, path: [Int], _ out: ItemsOut<T>, _ place: inout Int
    ) throws(Failure) {
        let data = try value.unwrapped()
        guard path.count < layout.rank, let items = data.arrayItems else {
            out.start[place] = try Scalar(data, at: path).element(T.self, at: path)
            place += 1
            return
        }
        for (index, item) in items.enumerated() { try fill(item, path: path + [index], out, &place) }
    }
}

extension Value {
    /// The items of a vector or list; nil for anything else.
    fileprivate var arrayItems: [Value]? {
        switch self {
        case .list(let items), .vector(let items): items.elements
        case .null: []
        default: nil
        }
    }
}
