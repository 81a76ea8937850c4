import Language
import Properties
import Testing

@testable import Buffers

/// Layouts: what they refuse, and that parts of arrays hold what a list of indexes says.
struct LayoutTests {
    @Test func whatIsNoLayoutIsRefused() {
        #expect(code { try ElementFormat(name: "float80") } == "buffer/format")
        #expect(code { try ArrayLayout(.int8, shape: [2, -1]) } == "buffer/range")
        #expect(code { try ArrayLayout(.int8, shape: [Int](repeating: 1, count: 33)) } == "buffer/range")
        #expect(code { try ArrayLayout(.float64, shape: [1 << 40, 1 << 40]) } == "buffer/range")
        #expect(code { try ArrayLayout(.float64, shape: [0, 1 << 40, 1 << 40]) } == "buffer/range")
        #expect(code { try ArrayLayout(.float64, shape: [3], within: 23) } == "buffer/range")
        #expect(code { try ArrayLayout(.float64, shape: [3], strides: [-8], within: 24) } == "buffer/range")
        #expect(code { try ArrayLayout(.float64, shape: [3], strides: [Int.max], within: 24) } == "buffer/range")
        #expect(code { try ArrayLayout(.float64, shape: [3], strides: [Int.min], offset: 8) } == "buffer/range")
        #expect(code { try ArrayLayout(.float64, shape: [2], strides: [8], offset: .max) } == "buffer/range")
        #expect(code { try ArrayLayout(.float64, shape: [2], strides: [8], offset: -8) } == "buffer/range")
        #expect(code { try ArrayLayout(.float64, shape: [2], strides: [8, 8]) } == "buffer/range")
    }

    @Test func emptyOnesOverflowNowhere() throws {
        let layout = try ArrayLayout(.int64, shape: [5, 0], strides: [.max, .min], offset: .max, within: 0)
        #expect(layout.count == 0 && layout.itemRange.isEmpty && layout.isCOrder && layout.isFortranOrder)
        let part = try layout.selecting([.range(start: 4, end: nil, step: -2), .range(start: -9)])
        #expect(part.shape == [3, 0])
        #expect(try layout.transposed().shape == [0, 5])
        #expect(code { try layout.byteOffset(of: [4, 0]) } == "eval/index")
    }

    @Test func orders() throws {
        let layout = try ArrayLayout(.int16, shape: [2, 3])
        #expect(layout.strides == [6, 2] && layout.isCOrder && !layout.isFortranOrder)
        #expect(try layout.transposed().isFortranOrder)
        #expect(try layout.selecting([.all, .range(step: -1)]).itemRange == 0..<12)
        #expect(try layout.reshaped([-1]).map(\.shape) == [6])
        #expect(try layout.transposed().reshaped([6]) == nil)
        #expect(code { try layout.reshaped([4]) } == "buffer/range")
        #expect(try ArrayLayout.axis(named: "b", of: ["a", "b"]) == 1)
        #expect(code { try ArrayLayout.axis(named: "c", of: ["a", "b"]) } == "eval/index")
    }

    @Test func formatsMeetAsInNumPy() {
        let cases: [(ElementFormat, ElementFormat, ElementFormat)] = [
            (.bool, .int8, .int8), (.int8, .uint8, .int16), (.uint32, .int8, .int64), (.uint64, .int8, .int64),
            (.int8, .float16, .float16), (.int16, .float16, .float32), (.int32, .float32, .float64),
            (.uint8, .int32, .int32), (.float32, .complex64, .complex64), (.int64, .complex64, .complex128),
            (.float64, .complex64, .complex128), (.bool, .float16, .float16), (.uint16, .float32, .float32),
        ]
        for (a, b, both) in cases {
            #expect(a.promoted(with: b) == both, "\(a) \(b)")
            #expect(b.promoted(with: a) == both, "\(b) \(a)")
        }
    }

    @Test(arguments: Seeds.rounds(200))
    func partsHoldWhatTheirIndexesSay(seed: UInt64) throws {
        var random = Randomness(seed: seed)
        let message = Comment(rawValue: "META_SEED=\(seed)")
        var model = Model(shape: (0..<random.below(4)).map { _ in random.below(5) })
        // Vectors do not say what extents stand behind one of 0.
        let flat = Value.vector(Items(model.items.map { .int($0) }))
        var array = try NumericArray(values: flat, format: random.pick([.int8, .int16, .int64, .float64]))
        array = try array.reshaped(model.shape)
        for _ in 0..<random.below(5) {
            switch random.below(3) {
            case 0:
                let selections = model.shape.prefix(random.below(model.shape.count + 1)).map { random.selection($0) }
                array = try array.selecting(selections)
                model = model.selecting(selections)
            case 1:
                let order = Array(model.shape.indices).shuffled(using: &random)
                array = try array.transposed(order)
                model = model.transposed(order)
            default:
                let shape = model.items.isEmpty ? model.shape : [-1] + model.shape.filter { $0 == 1 }
                array = try array.reshaped(shape)
                model = Model(shape: shape.map { $0 == -1 ? model.items.count : $0 }, items: model.items)
            }
            #expect(array.shape == model.shape, message)
            #expect(try Value.equal(try array.values(), model.value), message)
            #expect(try Value.equal(try array.copied().values(), model.value), message)
        }
        for (place, item) in model.items.enumerated() {
            let index = ArrayLayout.index(ofItem: place, in: model.shape)
            let fromEnd = zip(index, model.shape).map { random.chance(2) ? $0 : $0 - $1 }
            #expect(try Value.equal(try array.value(at: fromEnd), .int(item)), message)
        }
    }
}

/// An array as the plainest of lists.
struct Model {
    var shape: [Int]
    var items: [Int]

    init(shape: [Int], items: [Int]? = nil) {
        self.shape = shape
        self.items = items ?? Array(0..<shape.reduce(1, *))
    }

    var value: Value { value(shape[...], items[...]) }

    private func value(_ shape: ArraySlice<Int>, _ items: ArraySlice<Int>) -> Value {
        guard let extent = shape.first else { return .int(items.first ?? 0) }
        let size = extent == 0 ? 0 : items.count / extent
        return .vector(
            Items((0..<extent).map { value(shape.dropFirst(), items.dropFirst($0 * size).prefix(size)) }))
    }

    func item(_ index: [Int]) -> Int {
        items[zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }]
    }

    func transposed(_ order: [Int]) -> Model {
        let result = order.map { shape[$0] }
        return Model(
            shape: result,
            items: items.indices.map { place in
                var index = [Int](repeating: 0, count: shape.count)
                for (axis, at) in zip(order, ArrayLayout.index(ofItem: place, in: result)) { index[axis] = at }
                return item(index)
            })
    }

    func selecting(_ selections: [AxisSelection]) -> Model {
        var taken = shape.map { Array(0..<$0) }
        var kept = shape.indices.map { $0 }
        for (axis, selection) in selections.enumerated() {
            switch selection {
            case .index(let index):
                taken[axis] = [index < 0 ? index + shape[axis] : index]
                kept.removeAll { $0 == axis }
            case .range(let start, let end, let step): taken[axis] = Self.slice(shape[axis], start, end, step)
            }
        }
        let whole = taken.map(\.count)
        return Model(
            shape: kept.map { whole[$0] },
            items: (0..<whole.reduce(1, *)).map { place in
                item(zip(taken, ArrayLayout.index(ofItem: place, in: whole)).map { $0[$1] })
            })
    }

    /// Item by item, as one would explain it.
    private static func slice(_ count: Int, _ start: Int?, _ end: Int?, _ step: Int) -> [Int] {
        let all = step > 0 ? Array(0..<count) : Array((0..<count).reversed())
        func from(_ place: Int) -> Int { place < 0 ? place + count : place }
        let inside = all.filter { item in
            let isAfter = start.map { step > 0 ? item >= from($0) : item <= from($0) } ?? true
            let isBefore = end.map { step > 0 ? item < from($0) : item > from($0) } ?? true
            return isAfter && isBefore
        }
        return inside.enumerated().filter { $0.offset % abs(step) == 0 }.map(\.element)
    }
}

extension Randomness {
    mutating func selection(_ extent: Int) -> AxisSelection {
        if extent > 0, chance(3) { return .index(below(2 * extent) - extent) }
        func bound(_ random: inout Randomness) -> Int? { random.chance(3) ? nil : random.below(16) - 8 }
        return .range(start: bound(&self), end: bound(&self), step: pick([1, 1, 2, 3, -1, -2, 7, -9]))
    }
}

/// What a body throws; nil when it does not, or throws anything else.
func failure<T>(_ body: () throws -> T) -> Failure? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? Failure
    }
}

/// The code of what a body throws; empty when it does not.
func code<T>(_ body: () throws -> T) -> String {
    failure(body)?.code ?? ""
}
