import Buffers
import Evaluator
import Language

/// `buffer.*`: what arrays are like, which is known without asking anybody, and their items.
extension Router {
    func registerBuffers() {
        registerPublication()
        registerBufferFacts()
        registerBufferItems()
        registerBufferNumbers()
        registerBufferTypes()
        registerBufferFiles()
        registerBufferLifetime()
        registerTables()
    }

    /// Adds a function over buffers. It is called again when contents that it lacked are there; its result has the
    /// buffer's lineage.
    func addBuffer(
        _ signature: String, _ arity: ClosedRange<Int>, _ text: String, _ examples: String...,
        body: @escaping (inout Arguments) throws(Failure) -> Value
    ) {
        addBuffer(signature, arity, text, examples: examples, body: body)
    }

    func addBuffer(
        _ signature: String, _ arity: ClosedRange<Int>, _ text: String, examples: [String],
        body: @escaping (inout Arguments) throws(Failure) -> Value
    ) {
        let name = String(signature.dropFirst().prefix { $0 != " " && $0 != ")" })
        machine.register(
            Control(signature, arity: arity, documentation: Documentation(text, examples: examples)) {
                [unowned self] arguments, _ throws(Failure) in
                let result = try body(&arguments)
                return .value(derive(result, by: name, arguments))
            })
    }

    func derive(_ result: Value, by name: String, _ arguments: Arguments) -> Value {
        var parents: [Int] = []
        for value in arguments.all { if case .meta(let meta) = value { parents.append(meta.number) } }
        return parents.isEmpty ? result : machine.derive(result, by: name, from: parents)
    }

    /// - Throws: `eval/type` for what is no buffer.
    func buffer(_ index: Int, of arguments: Arguments) throws(Failure) -> BufferObject {
        guard let buffer = try RemoteObject.find(in: arguments[index]) as? BufferObject else {
            throw arguments.wrong(index, "a buffer")
        }
        return buffer
    }

    // MARK: Facts

    private func registerBufferFacts() {
        let facts: [(String, String, String, (BufferObject) -> Value)] = [
            ("shape", "How many items there are along each axis.", "[2 3]", { .numbers($0.layout.shape) }),
            ("format", "What an item is: float64, uint8 and so on.", "\"int64\"", { .text($0.layout.format.rawValue) }),
            ("rank", "How many axes there are.", "2", { .int($0.layout.rank) }),
            ("size", "How many items there are in all.", "6", { .int($0.layout.count) }),
            ("nbytes", "How many bytes the items take.", "48", { .int($0.layout.byteCount) }),
            ("strides", "How many bytes each axis goes on by.", "[24 8]", { .numbers($0.layout.strides) }),
            ("owner", "The session whose array it is, or meta.", "\"meta\"", { .text($0.owner) }),
            ("type", "The name of its registered type, or null.", "null", { $0.typeName.map(Value.text) ?? .null }),
        ]
        for (name, text, result, fact) in facts {
            machine.register(
                Builtin(
                    "(buffer.\(name) buffer)", arity: 1...1, lineage: .plain,
                    documentation: Documentation(
                        text + " Answered without asking anybody.",
                        examples: ["(buffer.\(name) (buffer.from [[1 2 3] [4 5 6]])) => \(result)"])
                ) { [unowned self] arguments throws(Failure) in fact(try buffer(0, of: arguments)) })
        }
        machine.register(
            Builtin(
                "(buffer.layout buffer)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "The names of the axes, by its registered type; null for one of none.",
                    examples: ["(buffer.layout (buffer.from [1 2])) => null"])
            ) { [unowned self] arguments throws(Failure) in
                axes(of: try buffer(0, of: arguments)).map { .vector(Items($0.map(Value.text))) } ?? .null
            })
        machine.register(
            Builtin(
                "(buffer.axis buffer axis)", arity: 2...2, lineage: .plain,
                documentation: Documentation(
                    "How many items there are along one axis, by its number or its name.",
                    examples: ["(buffer.axis (buffer.from [[1 2 3] [4 5 6]]) 1) => 3"])
            ) { [unowned self] arguments throws(Failure) in
                let buffer = try buffer(0, of: arguments)
                return .int(buffer.layout.shape[try axis(try arguments.data(1), of: buffer)])
            })
        machine.register(
            Builtin(
                "(buffer? value)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "Whether the value is an array.", examples: ["(buffer? (buffer.from [1 2])) => true"])
            ) { arguments throws(Failure) in .bool(try RemoteObject.find(in: arguments[0]) is BufferObject) })
    }

    func axes(of buffer: BufferObject) -> [String]? {
        buffer.typeName.flatMap { try? buffers.types.named($0).axes }
    }

    /// The number of an axis that is named by its number or its type's name for it.
    func axis(_ value: Value, of buffer: BufferObject) throws(Failure) -> Int {
        if case .int(let number) = value { return try buffer.layout.axis(number) }
        guard let name = value.nameText else {
            throw Failure("eval/type", "an axis is a number or a name, got \(Describe.short(value))")
        }
        return try ArrayLayout.axis(named: name, of: axes(of: buffer) ?? [])
    }

    // MARK: Items

    private func registerBufferItems() {
        addBuffer(
            "(buffer.from values …format)", 1...2,
            "An array of the numbers in a vector, or in vectors in vectors. Without a format whole numbers are int64, booleans bool, others float64.",
            "(buffer.shape (buffer.from [[1 2 3] [4 5 6]])) => [2 3]",
            "(buffer.data (buffer.from [1.5 2] \"float32\")) => [1.5 2.0]"
        ) { [unowned self] arguments throws(Failure) in
            let format = arguments.count == 2 ? try ElementFormat(name: try arguments.string(1)) : nil
            if case .tagged(let tagged) = try arguments.data(0), let bytes = tagged.bytes {
                let layout = try ArrayLayout(.uint8, shape: [bytes.count])
                let array = try NumericArray(layout, bytes: bytes)
                return .function(BufferObject(try array.converted(to: format ?? .uint8), router: self))
            }
            let values = Value.vector(Items(try arguments.items(0)))
            return .function(BufferObject(try NumericArray(values: values, format: format), router: self))
        }
        addBuffer(
            "(buffer.data buffer)", 1...1, "The items as vectors in vectors.",
            "(buffer.data (buffer.from [[1 2] [3 4]])) => [[1 2] [3 4]]"
        ) { [unowned self] arguments throws(Failure) in try buffer(0, of: arguments).array().values(limit: Limit.items)
        }
        addBuffer(
            "(buffer.bytes buffer)", 1...1, "The items as bytes, in C order and little-endian.",
            "(count (buffer.bytes (buffer.from [1 2] \"int16\"))) => 4"
        ) { [unowned self] arguments throws(Failure) in .bytes(try buffer(0, of: arguments).array().bytes()) }
        addBuffer(
            "(buffer.get buffer …indexes)", 2...Int.max,
            "An item, or the part that is left when some axes are fixed: each index a number, from the end where negative, "
                + "or [start end step], or :all; or one object of numbers by the names of axes.",
            "(buffer.get (buffer.from [[1 2 3] [4 5 6]]) 1 0) => 4",
            "(buffer.data (buffer.get (buffer.from [[1 2 3] [4 5 6]]) :all 1)) => [2 5]",
            "(buffer.data (buffer.get (buffer.from [1 2 3 4]) [1 3])) => [2 3]"
        ) { [unowned self] arguments throws(Failure) in
            let buffer = try buffer(0, of: arguments)
            return try part(of: buffer, try selections(&arguments, of: buffer))
        }
        addBuffer(
            "(buffer.reshape buffer shape)", 2...2,
            "The same items under another shape, in C order; one -1 is what is left.",
            "(buffer.shape (buffer.reshape (buffer.from [1 2 3 4]) [2 -1])) => [2 2]"
        ) { [unowned self] arguments throws(Failure) in
            let buffer = try buffer(0, of: arguments)
            let shape = try arguments.items(1).map { item throws(Failure) in
                guard case .int(let extent) = try item.unwrapped() else {
                    throw arguments.wrong(1, "a vector of integers")
                }
                return extent
            }
            if let layout = try buffer.layout.reshaped(shape) { return .function(try buffer.with(layout)) }
            return .function(BufferObject(try buffer.array().reshaped(shape), router: self))
        }
        addBuffer(
            "(buffer.transpose buffer …axes)", 1...2,
            "The axes in another order: turned round, or as given. Copies nothing.",
            "(buffer.data (buffer.transpose (buffer.from [[1 2] [3 4]]))) => [[1 3] [2 4]]"
        ) { [unowned self] arguments throws(Failure) in
            let buffer = try buffer(0, of: arguments)
            var order: [Int]?
            if arguments.count == 2 {
                order = try arguments.items(1).map { item throws(Failure) in try axis(try item.unwrapped(), of: buffer)
                }
            }
            return .function(try buffer.with(try buffer.layout.transposed(order)))
        }
        addBuffer(
            "(buffer.convert buffer format)", 2...2,
            "The same numbers in another format; one that does not fit is an error that says which.",
            "(buffer.format (buffer.convert (buffer.from [1 2]) \"uint8\")) => \"uint8\""
        ) { [unowned self] arguments throws(Failure) in
            let format = try ElementFormat(name: try arguments.string(1))
            return .function(
                BufferObject(try buffer(0, of: arguments).array().converted(to: format), router: self))
        }
    }

    private func selections(
        _ arguments: inout Arguments, of buffer: BufferObject
    ) throws(Failure) -> [AxisSelection] {
        if arguments.count == 2, case .object(let named) = try arguments.data(1) {
            var selections = [AxisSelection](repeating: .all, count: buffer.layout.rank)
            for (name, value) in named.entries {
                selections[try axis(.text(name.string), of: buffer)] = try selection(value)
            }
            return selections
        }
        return try arguments.from(1).map { value throws(Failure) in try selection(value) }
    }

    private func selection(_ value: Value) throws(Failure) -> AxisSelection {
        switch try value.unwrapped() {
        case .int(let index): return .index(index)
        case .keyword(let name) where name.name == "all": return .all
        case .vector(let range) where (1...3).contains(range.elements.count):
            let parts = try range.elements.map { part throws(Failure) -> Int? in
                switch try part.unwrapped() {
                case .int(let number): number
                case .null: nil
                default: throw wrongIndex(part)
                }
            }
            return .range(
                start: parts[0], end: parts.count > 1 ? parts[1] : nil, step: parts.count > 2 ? parts[2] ?? 1 : 1)
        default: throw wrongIndex(value)
        }
    }

    private func wrongIndex(_ value: Value) -> Failure {
        Failure("eval/type", "an index is an integer, [start end step] or :all, got \(Describe.short(value))")
    }

    func part(of buffer: BufferObject, _ selections: [AxisSelection]) throws(Failure) -> Value {
        let layout = try buffer.layout.selecting(selections)
        guard layout.rank > 0 else { return try NumericArray(layout, try buffer.array().storage).value(at: []) }
        return .function(try buffer.with(layout))
    }

    /// `(get buffer key)`: along the first axis by a number or a range, or by names of axes.
    func item(of buffer: BufferObject, _ key: Value) throws(Failure) -> Value {
        guard case .object(let named) = key else { return try part(of: buffer, [try selection(key)]) }
        var selections = [AxisSelection](repeating: .all, count: buffer.layout.rank)
        for (name, value) in named.entries {
            selections[try axis(.text(name.string), of: buffer)] = try selection(value)
        }
        return try part(of: buffer, selections)
    }
}

extension Value {
    fileprivate static func numbers(_ numbers: [Int]) -> Value { .vector(Items(numbers.map(Value.int))) }
}
