import BigInt
import Language
import Properties
import Testing

@testable import Buffers

/// Arithmetic, comparisons and reductions against the plainest loops.
struct OperationTests {
    @Test(arguments: Seeds.rounds(200))
    func arithmeticIsThatOfTheItems(seed: UInt64) throws {
        var random = Randomness(seed: seed)
        let (a, b) = random.pair()
        let operation = random.pick(BinaryOperation.allCases)
        let message = Comment(rawValue: "META_SEED=\(seed): \(operation) \(a.array.format) \(b.array.format)")
        let expected = Model.broadcast(a.model, b.model) { operation.naive($0, $1) }
        if let failure = failure({ try NumericArray.compute(operation, .array(a.array), .array(b.array)) }) {
            let isExpected =
                failure.code == "eval/divide" ? b.model.items.contains(0) : failure.code == "eval/overflow"
            let isPlaced = expected.shape.isEmpty || failure.message.contains("at [")
            #expect(isExpected && isPlaced, "\(message): \(failure)")
            return
        }
        let result = try NumericArray.compute(operation, .array(a.array), .array(b.array))
        #expect(result.shape == expected.shape, message)
        #expect(result.format == operation.format(a.array.format, b.array.format), message)
        for (place, item) in expected.items.enumerated() {
            let given = try result.value(at: ArrayLayout.index(ofItem: place, in: result.shape))
            guard let item else {
                #expect(!given.isWhole, message)
                continue
            }
            #expect(Self.isNear(given, item), "\(message): \(given) for \(item)")
        }
    }

    private static func isNear(_ given: Value, _ wanted: Double) -> Bool {
        switch given {
        case .int(let int): Double(int) == wanted
        case .double(let double): abs(double - wanted) <= 0.01 * abs(wanted)
        default: false
        }
    }

    @Test func nothingWraps() throws {
        for format in ElementFormat.allCases where format.isInteger {
            let bits = format.size * 8
            let (low, high) =
                format.kind == .signed
                ? (-(BigInt(1) << (bits - 1)), BigInt(1) << (bits - 1) - 1) : (0, BigInt(1) << bits - 1)
            let edges = try NumericArray(
                values: .vector(Items([.integer(low), .integer(high), .int(1)])), format: format)
            func compute(_ operation: BinaryOperation, _ value: Int) -> Failure? {
                failure { try NumericArray.compute(operation, .array(edges), .value(.int(value))) }
            }
            let cases: [(BinaryOperation, Int, String)] = [
                (.add, 1, "[1]"), (.subtract, 1, "[0]"), (.multiply, 2, "at ["),
            ]
            for (operation, value, place) in cases {
                let given = compute(operation, value)
                #expect(given?.code == "eval/overflow", "\(format) \(operation)")
                #expect(given?.message.contains(place) == true, "\(format) \(operation): \(given?.message ?? "")")
            }
            #expect(compute(.floorDivide, 0)?.code == "eval/divide")
            #expect(compute(.modulo, 0)?.code == "eval/divide")
            #expect(compute(.divide, 0)?.code == "eval/divide")
            #expect(compute(.add, 0) == nil && compute(.multiply, 1) == nil)
            if format.kind == .signed {
                #expect(compute(.floorDivide, -1)?.code == "eval/overflow")
                #expect(compute(.modulo, -1) == nil)
                #expect(code { try edges.applying(.negate) } == "eval/overflow")
                #expect(code { try edges.applying(.abs) } == "eval/overflow")
            }
            #expect(
                try Value.equal(try edges.reduced(.sum), .integer(low + high + 1)), "\(format)")
            #expect(try Value.equal(try edges.reduced(.product), .integer(low * high)), "\(format)")
            #expect(try Value.equal(try edges.reduced(.minimum), .integer(low)), "\(format)")
            #expect(try Value.equal(try edges.reduced(.maximum), .integer(high)), "\(format)")
        }
    }

    @Test func sumsAreExactBeyondAWord() throws {
        let top = Value.vector(Items([Value](repeating: .int(.max), count: 5_000)))
        let array = try NumericArray(values: top)
        #expect(try Value.equal(try array.reduced(.sum), .integer(BigInt(Int.max) * 5_000)))
        #expect(code { try array.reduced(.sum, axis: 0) } == "eval/overflow")
        #expect(code { try array.reshaped([1_000, 5]).reduced(.sum, axis: 0) } == "eval/overflow")
        let two = try NumericArray(values: .vector(Items([Value](repeating: .int(2), count: 100))))
        #expect(try Value.equal(try two.reduced(.product), .integer(BigInt(1) << 100)))
        #expect(code { try two.reduced(.product, axis: 0) } == "eval/overflow")
    }

    @Test func numbersOfMetaDoNotWiden() throws {
        let cases: [(ElementFormat, Value, BinaryOperation, ElementFormat)] = [
            (.float32, .double(1.5), .add, .float32), (.int8, .int(1), .add, .int8),
            (.int8, .double(1), .add, .float64),
            (.int8, .int(2), .divide, .float64), (.float32, .int(2), .divide, .float32), (.bool, .int(1), .add, .int64),
            (.bool, .bool(true), .add, .int64), (.uint8, .bool(true), .add, .uint8),
            (.float16, .int(3), .modulo, .float16),
            (.float32, .tagged(.complex, ["re": .double(1), "im": .double(1)]), .add, .complex64),
            (.int64, .tagged(.complex, ["re": .double(1), "im": .double(1)]), .add, .complex128),
        ]
        for (format, value, operation, result) in cases {
            let array = try NumericArray(values: format == .bool ? .bool(true) : .int(1), format: format)
            let made = try NumericArray.compute(operation, .array(array), .value(value))
            #expect(made.format == result, "\(format) \(operation)")
        }
        let bytes = try NumericArray(values: .int(1), format: .int8)
        #expect(code { try NumericArray.compute(.add, .array(bytes), .value(.int(128))) } == "eval/overflow")
        let both = try NumericArray.compute(.subtract, .value(.int(10)), .array(bytes))
        #expect(try Value.equal(try both.value(at: []), .int(9)))
    }

    @Test(arguments: Seeds.rounds(200))
    func comparisonsAreThoseOfMeta(seed: UInt64) throws {
        var random = Randomness(seed: seed)
        let formats: [ElementFormat] = [.int8, .uint8, .int64, .uint64, .float32, .float64, .int32]
        let near: [Value] = [
            .int(0), .int(1), .int(100), .int(.max), .int(1 << 53), .int(1 << 53 + 1), .double(0.5), .double(0x1p53),
            .double(0x1p63), .double(.nan), .double(0.1), .int(.min), .int(-1), .integer(BigInt(UInt64.max)),
            .integer(BigInt(1) << 63), .double(-.infinity), .integer(BigInt(1) << 70), .double(0x1p70),
        ]
        func items(_ random: inout Randomness) -> NumericArray? {
            let format = random.pick(formats)
            let fitting = near.filter { (try? NumericArray(values: $0, format: format)) != nil }
            return try? NumericArray(
                values: .vector(Items((0..<5).map { _ in random.pick(fitting) })), format: format)
        }
        let a = try #require(items(&random))
        let b = try #require(items(&random))
        let scalar = random.pick(near)
        for comparison in Comparison.allCases {
            let message = "META_SEED=\(seed): \(comparison) \(a.format) \(b.format)"
            let both = try NumericArray.compare(comparison, .array(a), .array(b))
            let one = try? NumericArray.compare(comparison, .value(scalar), .array(a))
            for item in 0..<5 {
                let (x, y) = (try a.value(at: [item]), try b.value(at: [item]))
                let given = try both.value(at: [item]).isTrue
                #expect(given == comparison.holds(Number.compare(x, y)), "\(message): \(x) \(y)")
                guard let one else { continue }
                let other = try one.value(at: [item]).isTrue
                #expect(other == comparison.holds(Number.compare(scalar, x)), "\(message): \(scalar) \(x)")
            }
        }
    }

    @Test(arguments: Seeds.rounds(200))
    func reductionsAreThoseOfTheItems(seed: UInt64) throws {
        var random = Randomness(seed: seed)
        let operand = random.operand(
            shape: (0...random.below(3)).map { _ in 1 + random.below(random.chance(4) ? 40 : 5) })
        let (array, model) = (operand.array, operand.model)
        let axis = random.below(model.shape.count)
        let lines = model.lines(axis: axis)
        for reduction in Reduction.allCases {
            let message = "META_SEED=\(seed): \(reduction) \(array.format) \(model.shape) \(axis)"
            let along = try? array.reduced(reduction, axis: axis - (random.chance(2) ? model.shape.count : 0))
            guard let along else {
                #expect(reduction == .product, "\(message)")
                continue
            }
            #expect(along.shape == lines.shape, "\(message)")
            let flat = try along.reshaped([-1])
            for (place, line) in lines.items.enumerated() {
                let (given, wanted) = (try flat.value(at: [place]).float, reduction.naive(line))
                if given.isInfinite, array.format == .float16 || array.format == .float32 { continue }
                #expect(abs(given - wanted) <= 0.002 * abs(wanted) + 0.001, "\(message): \(given) for \(wanted)")
            }
            guard !model.shape.isEmpty, reduction != .indexOfMinimum, reduction != .indexOfMaximum else { continue }
            let (given, wanted) = (try array.reduced(reduction).float, reduction.naive(model.items))
            #expect(abs(given - wanted) <= 0.002 * abs(wanted) + 0.001, "\(message): \(given) for \(wanted)")
        }
    }

    @Test func notANumberIsNotLost() throws {
        var items = [Value](repeating: .double(1), count: 3_000)
        items[2_100] = .double(.nan)
        items[5] = .double(-1)
        let array = try NumericArray(values: .vector(Items(items)))
        for reduction in [Reduction.sum, .minimum, .maximum, .mean, .variance, .product] {
            #expect(try array.reduced(reduction).float.isNaN, "\(reduction)")
            let tall = try array.reshaped([1_500, 2])
            #expect(try tall.reduced(reduction, axis: 0).value(at: [0]).float.isNaN, "\(reduction)")
            #expect(try !tall.reduced(reduction, axis: 0).value(at: [1]).float.isNaN, "\(reduction)")
        }
        #expect(try Value.equal(try array.reduced(.indexOfMinimum), .int(2_100)))
        #expect(try !array.isEqual(to: array))
        #expect(try Value.equal(try array.selecting([.range(end: 100)]).reduced(.indexOfMinimum), .int(5)))
    }

    @Test func emptyOnesHaveSumsButNoLeast() throws {
        let none = try NumericArray(values: .vector(Items([])))
        #expect(try Value.equal(try none.reduced(.sum), .int(0)) && none.reduced(.all).isTrue)
        for reduction in Reduction.allCases where !reduction.takesNone {
            #expect(code { try none.reduced(reduction) } == "eval/size")
        }
        let wide = try none.reshaped([0, 3])
        #expect(try wide.reduced(.sum, axis: 0).shape == [3])
        #expect(try wide.reduced(.maximum, axis: 1).shape == [0])
    }

    @Test func floatsAreSummedWithCare() throws {
        let tenths = try NumericArray(values: .vector(Items([Value](repeating: .double(0.1), count: 1_000_000))))
        #expect(abs(try tenths.reduced(.sum).float - 100_000) < 1e-9)
        let mixed: [Value] = [.double(1), .double(1e100), .double(1), .double(-1e100)]
        let items = mixed.flatMap { [Value](repeating: $0, count: 2_048) }
        #expect(try NumericArray(values: .vector(Items(items))).reduced(.sum).float == 4_096)
    }

    @Test func conversionsAreChecked() throws {
        let array = try NumericArray(
            values: .vector(Items([.double(1), .double(-2), .double(300), .double(0.5), .double(0x1p63)])))
        func converted(_ format: ElementFormat, _ end: Int) -> Failure? {
            failure { try array.selecting([.range(end: end)]).converted(to: format) }
        }
        #expect(converted(.int8, 2) == nil && converted(.int16, 3) == nil && converted(.float16, 4) == nil)
        #expect(converted(.uint8, 2)?.message.contains("-2.0 at [1]") == true)
        #expect(converted(.int8, 3)?.message.contains("300.0 at [2]") == true)
        #expect(converted(.int64, 4)?.message.contains("0.5 at [3]") == true)
        #expect(converted(.float16, 5)?.code == "eval/overflow" && converted(.float32, 5) == nil)
        let last = try array.selecting([.index(4)])
        #expect(code { try last.converted(to: .int64) } == "eval/overflow")
        #expect(try Value.equal(try last.converted(to: .uint64).value(at: []), .integer(BigInt(1) << 63)))
        #expect(code { try last.converted(to: .bool) } == "eval/overflow")
        #expect(try array.isEqual(to: try array.converted(to: .complex128)))
    }

    @Test(arguments: Seeds.rounds(50))
    func productsOfMatricesAreSums(seed: UInt64) throws {
        var random = Randomness(seed: seed)
        let inner = random.below(4)
        let a = random.operand(shape: (random.chance(3) ? [] : [random.below(4)]) + [inner])
        let b = random.operand(shape: [inner] + (random.chance(3) ? [] : [random.below(4)]))
        let columns = b.model.shape.count == 2 ? b.model.shape[1] : 1
        let shape = Array(a.model.shape.dropLast()) + Array(b.model.shape.dropFirst())
        let sums = (0..<shape.reduce(1, *)).map { place in
            (0..<inner).reduce(0) {
                $0 + a.model.items[place / columns * inner + $1] * b.model.items[$1 * columns + place % columns]
            }
        }
        let message = "META_SEED=\(seed): \(a.array.format) \(b.array.format) \(sums)"
        let product: NumericArray
        do {
            product = try a.array.product(with: b.array)
        } catch {
            #expect(error.code == "eval/overflow" && sums.contains { !(0...127).contains($0) }, "\(message)")
            return
        }
        #expect(product.shape == shape, "\(message)")
        let flat = try product.reshaped([product.count])
        for (place, sum) in sums.enumerated() {
            #expect(try flat.value(at: [place]).float == Double(sum), "\(message)")
        }
    }

    @Test func functions() throws {
        func apply(_ operation: UnaryOperation, _ values: [Value], _ format: ElementFormat? = nil) throws -> Value {
            try NumericArray(values: .vector(Items(values)), format: format).applying(operation).values()
        }
        func vector(_ items: Value...) -> Value { .vector(Items(items)) }
        #expect(try Value.identical(try apply(.sqrt, [.int(4), .int(9)]), vector(.double(2), .double(3))))
        #expect(try Value.identical(try apply(.negate, [.int(4)], .int8), vector(.int(-4))))
        #expect(try Value.identical(try apply(.round, [.double(2.5)]), vector(.double(2))))
        #expect(try Value.identical(try apply(.isNaN, [.double(.nan), .int(1)]), vector(.bool(true), .bool(false))))
        #expect(try Value.identical(try apply(.not, [.bool(true)]), vector(.bool(false))))
        let complex = Value.tagged(.complex, ["re": .double(3), "im": .double(-4)])
        #expect(try Value.identical(try apply(.abs, [complex], .complex64), vector(.double(5))))
        #expect(code { try apply(.sqrt, [complex]) } == "eval/type")
        #expect(code { try apply(.negate, [.int(1)], .uint8) } == "eval/overflow")
    }

    @Test func theTextIsCut() throws {
        let array = try NumericArray(values: .vector(Items((0..<1_000).map { .int($0) })))
        #expect(array.text() == "[0 1 2 … 997 998 999]")
        #expect(try array.reshaped([2, 500]).text() == "[[0 1 2 … 497 498 499] [500 501 502 … 997 998 999]]")
        #expect(try array.selecting([.index(3)]).text() == "3")
    }
}

extension BinaryOperation {
    /// Nil for what is no number.
    func naive(_ a: Int, _ b: Int) -> Double? {
        let (x, y) = (Double(a), Double(b))
        switch self {
        case .add: return x + y
        case .subtract: return x - y
        case .multiply: return x * y
        case .divide: return b == 0 ? nil : x / y
        case .floorDivide: return b == 0 ? nil : (x / y).rounded(.down)
        case .modulo: return b == 0 ? nil : x - y * (x / y).rounded(.down)
        case .minimum: return min(x, y)
        case .maximum: return max(x, y)
        }
    }
}

extension Comparison {
    func holds(_ order: Number.Order?) -> Bool {
        switch self {
        case .equal: order == .equal
        case .notEqual: order != .equal
        case .less: order == .less
        case .lessOrEqual: order == .less || order == .equal
        case .greater: order == .greater
        case .greaterOrEqual: order == .greater || order == .equal
        }
    }
}

extension Reduction {
    func naive(_ items: [Int]) -> Double {
        let count = Double(items.count)
        let mean = Double(items.reduce(0, +)) / count
        let variance = items.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
        switch self {
        case .sum: return Double(items.reduce(0, +))
        case .product: return items.reduce(1.0) { $0 * Double($1) }
        case .minimum: return Double(items.min() ?? 0)
        case .maximum: return Double(items.max() ?? 0)
        case .mean: return mean
        case .variance: return variance
        case .standardDeviation: return variance.squareRoot()
        case .any: return items.contains { $0 != 0 } ? 1 : 0
        case .all: return items.contains(0) ? 0 : 1
        case .indexOfMinimum: return Double(items.firstIndex(of: items.min() ?? 0) ?? 0)
        case .indexOfMaximum: return Double(items.firstIndex(of: items.max() ?? 0) ?? 0)
        }
    }
}

extension Value {
    var isWhole: Bool { if case .int = self { true } else { false } }

    /// A number or bool as a float.
    var float: Double {
        switch self {
        case .int(let int): Double(int)
        case .double(let double): double
        case .bool(let flag): flag ? 1 : 0
        case .big(let big): Double(big.value)
        default: .nan
        }
    }
}

extension Model {
    static func broadcast<T>(_ a: Model, _ b: Model, _ body: (Int, Int) -> T) -> (shape: [Int], items: [T]) {
        let rank = max(a.shape.count, b.shape.count)
        func padded(_ model: Model) -> [Int] {
            [Int](repeating: 1, count: rank - model.shape.count) + model.shape
        }
        let (x, y) = (padded(a), padded(b))
        let shape = zip(x, y).map { $0 == 1 ? $1 : $0 }
        let items = (0..<shape.reduce(1, *)).map { place in
            let index = ArrayLayout.index(ofItem: place, in: shape)
            return body(
                Model(shape: x, items: a.items).item(zip(index, x).map { $1 == 1 ? 0 : $0 }),
                Model(shape: y, items: b.items).item(zip(index, y).map { $1 == 1 ? 0 : $0 }))
        }
        return (shape, items)
    }

    /// The items along an axis, for each place on the others.
    func lines(axis: Int) -> (shape: [Int], items: [[Int]]) {
        var rest = shape
        let extent = rest.remove(at: axis)
        let items = (0..<rest.reduce(1, *)).map { place in
            (0..<extent).map { item in
                var index = ArrayLayout.index(ofItem: place, in: rest)
                index.insert(item, at: axis)
                return self.item(index)
            }
        }
        return (rest, items)
    }
}

extension Randomness {
    /// An array of small whole numbers of any real format, laid out anyhow, and its model.
    mutating func operand(shape: [Int]) -> (array: NumericArray, model: Model) {
        let count = shape.reduce(1, *)
        let items = (0..<count).map { _ in below(20) }
        var model = Model(shape: shape, items: items)
        let format = pick(ElementFormat.allCases.filter { !$0.isComplex && $0 != .bool })
        if format.kind != .unsigned, chance(2) { model.items = items.map { $0 - 10 } }
        let flat = Value.vector(Items(model.items.map { .int($0) }))
        // Stored turned round, backwards, or with room between, and seen as the model.
        let order = Array(shape.indices).shuffled(using: &self)
        let inverse = shape.indices.map { axis in order.firstIndex(of: axis) ?? 0 }
        guard let plain = try? NumericArray(values: flat, format: format).reshaped(shape),
            let turned = try? plain.transposed(order).copied().transposed(inverse),
            let result = chance(2) ? turned : try? NumericArray.reversedTwice(turned)
        else { return (Self.none, model) }
        return (result, model)
    }

    private static var none: NumericArray {
        guard let none = try? NumericArray(values: .int(0)) else { preconditionFailure("no memory") }
        return none
    }

    /// Two operands whose shapes meet.
    mutating func pair() -> (a: (array: NumericArray, model: Model), b: (array: NumericArray, model: Model)) {
        let shape = (0..<below(4)).map { _ in below(5) }
        let left = shape.map { chance(4) ? 1 : $0 }
        let right = shape.map { chance(4) ? 1 : $0 }
        return (operand(shape: Array(left.dropFirst(below(2)))), operand(shape: Array(right.dropFirst(below(2)))))
    }
}

extension NumericArray {
    /// The same items, standing from the last to the first in memory.
    static func reversedTwice(_ array: NumericArray) throws(Failure) -> NumericArray {
        let back = [AxisSelection](repeating: .range(step: -1), count: array.rank)
        return try array.selecting(back).copied().selecting(back)
    }
}
