import Buffers
import Evaluator
import Language

/// Numbers made of arrays: sums and the like, operators and functions item by item.
extension Router {
    func registerBufferNumbers() {
        let reductions: [(Reduction, String, String)] = [
            (.sum, "The sum of the items, exact for whole numbers", "10"),
            (.product, "The product of the items, exact for whole numbers", "24"),
            (.minimum, "The least item", "1"), (.maximum, "The greatest item", "4"),
            (.mean, "The mean of the items", "2.5"),
            (.variance, "The mean square of the distances from the mean", "1.25"),
            (.standardDeviation, "The square root of the variance", "1.118033988749895"),
            (.any, "Whether an item is true", "true"), (.all, "Whether all items are true", "true"),
            (.indexOfMinimum, "Where the least item is", "0"), (.indexOfMaximum, "Where the greatest item is", "3"),
        ]
        for (reduction, text, result) in reductions {
            let name = reduction.rawValue
            addBuffer(
                "(buffer.\(name) buffer …axis)", 1...2,
                text + "; with an axis, by number or name, an array of them along it.",
                "(buffer.\(name) (buffer.from [1 2 3 4])) => \(result)"
            ) { [unowned self] arguments throws(Failure) in
                let buffer = try buffer(0, of: arguments)
                guard arguments.count == 2 else { return try buffer.array().reduced(reduction) }
                let axis = try axis(try arguments.data(1), of: buffer)
                return .function(BufferObject(try buffer.array().reduced(reduction, axis: axis), router: self))
            }
        }
        registerBufferComparisons()
        addBuffer(
            "(buffer.dot a b)", 2...2,
            "The product of two matrices, of a matrix and a vector, or of two vectors, which is a number.",
            "(buffer.dot (buffer.from [1 2 3]) (buffer.from [4 5 6])) => 32"
        ) { [unowned self] arguments throws(Failure) in
            let (a, b) = try pair(arguments)
            return try result(try a.product(with: b))
        }
    }

    private func registerBufferComparisons() {
        let names: [Buffers.Comparison: (String, String)] = [
            .equal: ("equal", "[false true false]"), .notEqual: ("not-equal", "[true false true]"),
            .less: ("less", "[true false false]"), .lessOrEqual: ("less-or-equal", "[true true false]"),
            .greater: ("greater", "[false false true]"), .greaterOrEqual: ("greater-or-equal", "[false true true]"),
        ]
        for comparison in Buffers.Comparison.allCases {
            guard let (name, shown) = names[comparison] else { continue }
            addBuffer(
                "(buffer.\(name) a b)", 2...2,
                "An array of bools: whether a \(comparison.rawValue) b, item by item; one of the two may be a number.",
                "(buffer.data (buffer.\(name) (buffer.from [1 2 3]) 2)) => \(shown)"
            ) { [unowned self] arguments throws(Failure) in
                let (a, b) = (try operand(try arguments.data(0)), try operand(try arguments.data(1)))
                return try result(try NumericArray.compare(comparison, a, b))
            }
        }
    }

    private func pair(_ arguments: Arguments) throws(Failure) -> (NumericArray, NumericArray) {
        let (a, b) = (try buffer(0, of: arguments), try buffer(1, of: arguments))
        try require([a, b])
        return (try a.array(), try b.array())
    }

    /// - Throws: what `prerequisite` knows when contents of some are with their owners: one at a time, as an instruction
    ///   waits for one thing and runs again.
    private func require(_ buffers: [BufferObject]) throws(Failure) {
        if let absent = buffers.first(where: \.isLive) { throw lacks([absent]) }
    }

    private func operand(_ value: Value) throws(Failure) -> Operand {
        guard let object = try RemoteObject.find(in: value) else {
            if case .vector = value { return .array(try NumericArray(values: value)) }
            return .value(value)
        }
        guard let buffer = object as? BufferObject else {
            throw Failure("eval/type", "what goes with an array is an array or a number, got \(Describe.short(value))")
        }
        return .array(try buffer.array())
    }

    /// An array without axes is its item.
    private func result(_ array: NumericArray) throws(Failure) -> Value {
        array.rank == 0 ? try array.value(at: []) : .function(BufferObject(array, router: self))
    }

    // MARK: Operators and functions of numbers

    /// What `+`, `math.sqrt` and so on give where arrays are among the operands.
    func operate(_ name: String, _ operands: [Value]) throws(Failure) -> Value {
        try require(operands.compactMap { (try? RemoteObject.find(in: $0)) as? BufferObject })
        if operands.count == 1, let operation = Self.unary[name] {
            guard case .array(let array) = try operand(operands[0]) else {
                throw Failure("eval/type", "\(name) takes a number or an array")
            }
            return try result(try array.applying(operation))
        }
        if operands.count == 1, name == "/" {
            return try result(try NumericArray.compute(.divide, .value(.int(1)), try operand(operands[0])))
        }
        guard operands.count > 1, let operation = BinaryOperation(rawValue: name) else {
            throw Failure(
                "eval/type", "\(name) takes numbers, got \(Describe.short(operands[0]))",
                help: "arrays take + - * / // mod min max and \(Self.unary.keys.sorted().joined(separator: " "))")
        }
        var left = operands[0]
        for right in operands.dropFirst() {
            let (a, b) = (try operand(left), try operand(right))
            left = try result(try NumericArray.compute(operation, a, b))
        }
        return left
    }

    private static let unary: [String: UnaryOperation] = {
        var table: [String: UnaryOperation] = [
            "-": .negate, "abs": .abs, "floor": .floor, "ceil": .ceil, "trunc": .trunc, "round": .round,
        ]
        let transcendental: [UnaryOperation] = [
            .sqrt, .exp, .log, .log2, .log10, .sin, .cos, .tan, .asin, .acos, .atan, .sinh, .cosh, .tanh,
        ]
        for operation in transcendental { table["math.\(operation.rawValue)"] = operation }
        return table
    }()
}
