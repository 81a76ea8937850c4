import BigInt
import Language

/// Whole numbers and bools, exactly.
struct WholeSum<Item: Element>: Reducer where Item.Wide: FixedWidthInteger {
    var initial: Int128 { 0 }

    @inline(__always) func add(_ items: UnsafePointer<Item>, _ count: Int, to state: inout Int128) {
        state += Self.piece(items, count)
    }

    var hasPieces: Bool { true }
    @inline(__always) func begin(_ item: Item) -> WholePiece { WholePiece(item.wide) }
    @inline(__always) func extend(_ piece: inout WholePiece, _ item: Item) { piece.add(item.wide) }
    @inline(__always) func take(_ piece: WholePiece, _ count: Int, into state: inout Int128) { state += piece.sum }

    /// The sum of a piece, which is too short for its halves to overflow.
    @inline(__always) static func piece(_ items: UnsafePointer<Item>, _ count: Int) -> Int128 {
        var low = UInt64(0)
        var high = Int64(0)
        if MemoryLayout<Item>.size < 8 {
            for item in 0..<count { high &+= Int64(truncatingIfNeeded: items[item].wide) }
            return Int128(high)
        }
        for item in 0..<count {
            low &+= UInt64(truncatingIfNeeded: items[item].wide) & 0xFFFF_FFFF
            high &+= Int64(truncatingIfNeeded: items[item].wide >> 32)
        }
        return Int128(high) << 32 + Int128(low)
    }

    func value(_ state: Int128, count: Int) -> Value { .integer(BigInt(state)) }

    func item(_ state: Int128, count: Int) throws(Failure) -> Item.Wide {
        guard let sum = Item.Wide(exactly: state) else {
            throw .misfit(.integer(BigInt(state)), Item.Wide.format, at: [])
        }
        return sum
    }
}

/// A few whole numbers' sum in halves, which overflow no sooner than billions of them are added.
struct WholePiece: BitwiseCopyable {
    private var low: UInt64
    private var high: Int64

    @inline(__always) init<T: FixedWidthInteger>(_ item: T) {
        low = UInt64(truncatingIfNeeded: item) & 0xFFFF_FFFF
        high = Int64(truncatingIfNeeded: item >> 32)
    }

    @inline(__always) mutating func add<T: FixedWidthInteger>(_ item: T) {
        low &+= UInt64(truncatingIfNeeded: item) & 0xFFFF_FFFF
        high &+= Int64(truncatingIfNeeded: item >> 32)
    }

    var sum: Int128 { Int128(high) << 32 + Int128(low) }
}

struct WholeMean<Item: Element>: Reducer where Item.Wide: FixedWidthInteger {
    var initial: Int128 { 0 }

    @inline(__always) func add(_ items: UnsafePointer<Item>, _ count: Int, to state: inout Int128) {
        state += WholeSum<Item>.piece(items, count)
    }

    var hasPieces: Bool { true }
    @inline(__always) func begin(_ item: Item) -> WholePiece { WholePiece(item.wide) }
    @inline(__always) func extend(_ piece: inout WholePiece, _ item: Item) { piece.add(item.wide) }
    @inline(__always) func take(_ piece: WholePiece, _ count: Int, into state: inout Int128) { state += piece.sum }

    func item(_ state: Int128, count: Int) -> Double { Double(state) / Double(count) }
}

/// Whole numbers, exactly: a word, and where that is full, factors that are multiplied in the end.
struct WholeProduct<Item: Element>: Reducer where Item.Wide: FixedWidthInteger {
    typealias Piece = Int8

    struct State {
        var product: Item.Wide = 1
        var factors: [BigInt] = []
    }

    var initial: State { State() }

    func add(_ items: UnsafePointer<Item>, _ count: Int, to state: inout State) {
        for item in 0..<count {
            let (product, isTooLarge) = state.product.multipliedReportingOverflow(by: items[item].wide)
            if isTooLarge { state.factors.append(BigInt(state.product)) }
            state.product = isTooLarge ? items[item].wide : product
        }
    }

    func isSettled(_ state: State) -> Bool { state.product == 0 }

    func value(_ state: State, count: Int) throws(Failure) -> Value {
        guard state.product != 0 else { return .int(0) }
        guard state.factors.count < Self.limit else {
            throw Failure("eval/overflow", "the product has more than \(Self.limit * 63 / 2) bits")
        }
        return .integer(Self.product((state.factors + [BigInt(state.product)])[...]))
    }

    func item(_ state: State, count: Int) throws(Failure) -> Item.Wide {
        // Two neighbours overflow a word together, so that no more than three can have a product of one.
        if state.product == 0 { return 0 }
        let big = Self.product((state.factors.prefix(3) + [BigInt(state.product)])[...])
        guard state.factors.count <= 3, let product = Item.Wide(exactly: big) else {
            throw Failure("eval/overflow", "the product does not fit \(Item.Wide.format.rawValue)")
        }
        return product
    }

    /// In halves, so that large numbers meet large ones.
    private static func product(_ factors: ArraySlice<BigInt>) -> BigInt {
        guard factors.count > 1 else { return factors.first ?? 1 }
        let middle = factors.startIndex + factors.count / 2
        return product(factors[..<middle]) * product(factors[middle...])
    }

    /// Words of a product that is worth the time.
    private static var limit: Int { 100_000 }
}

/// A sum of floats with what rounding has taken from it (Neumaier, "Rundungsfehleranalyse", 1974).
struct CompensatedSum {
    private var sum = 0.0
    private var lost = 0.0

    @inline(__always) mutating func add(_ value: Double) {
        let total = sum + value
        lost += sum.magnitude >= value.magnitude ? (sum - total) + value : (value - total) + sum
        sum = total
    }

    /// Infinities and NaN compensate nothing.
    var total: Double { sum.isFinite ? sum + lost : sum }
}

struct FloatSum<Item: Element & BinaryFloatingPoint>: Reducer {
    let isMean: Bool

    var initial: CompensatedSum { CompensatedSum() }

    @inline(__always) func add(_ items: UnsafePointer<Item>, _ count: Int, to state: inout CompensatedSum) {
        state.add(Self.pairwise(items, count))
    }

    var hasPieces: Bool { true }
    @inline(__always) func begin(_ item: Item) -> Double { Double(item) }
    @inline(__always) func extend(_ piece: inout Double, _ item: Item) { piece += Double(item) }
    @inline(__always) func take(_ piece: Double, _ count: Int, into state: inout CompensatedSum) { state.add(piece) }

    func value(_ state: CompensatedSum, count: Int) -> Value { .double(result(state, count)) }
    func item(_ state: CompensatedSum, count: Int) -> Item { Item(result(state, count)) }

    private func result(_ state: CompensatedSum, _ count: Int) -> Double {
        isMean ? state.total / Double(count) : state.total
    }

    /// Halves down to 256 items, which are summed in 16 lanes.
    static func pairwise(_ items: UnsafePointer<Item>, _ count: Int) -> Double {
        guard count > 256 else { return lanes(items, count) }
        let half = count / 2 & ~15
        return pairwise(items, half) + pairwise(items + half, count - half)
    }

    @inline(__always) private static func lanes(_ items: UnsafePointer<Item>, _ count: Int) -> Double {
        var (a, b) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
        let whole = count & ~15
        for item in stride(from: 0, to: whole, by: 16) {
            a += eight(items + item)
            b += eight(items + item + 8)
        }
        var rest = 0.0
        for item in whole..<count { rest += Double(items[item]) }
        return (a + b).sum() + rest
    }

    @inline(__always) private static func eight(_ items: UnsafePointer<Item>) -> SIMD8<Double> {
        if Item.self == Double.self { return UnsafeRawPointer(items).loadUnaligned(as: SIMD8<Double>.self) }
        return SIMD8(
            Double(items[0]), Double(items[1]), Double(items[2]), Double(items[3]),
            Double(items[4]), Double(items[5]), Double(items[6]), Double(items[7]))
    }
}

struct FloatProduct<Item: Element & BinaryFloatingPoint>: Reducer {
    typealias Piece = Int8

    var initial: Double { 1 }

    func add(_ items: UnsafePointer<Item>, _ count: Int, to state: inout Double) {
        for item in 0..<count { state *= Double(items[item]) }
    }

    func value(_ state: Double, count: Int) -> Value { .double(state) }
    func item(_ state: Double, count: Int) -> Item { Item(state) }
}

/// Variance, by the means and squares of pieces (Chan, Golub and LeVeque, 1979): one pass, and stable.
struct Spread<Item: Element, Output: Element>: Reducer {
    typealias Piece = Int8

    struct State {
        var count = 0.0
        var mean = 0.0
        var squares = 0.0
    }

    let isRoot: Bool

    var initial: State { State() }

    func add(_ items: UnsafePointer<Item>, _ count: Int, to state: inout State) {
        var sum = 0.0
        for item in 0..<count { sum += items[item].wide.float }
        let (size, mean) = (Double(count), sum / Double(count))
        var squares = 0.0
        for item in 0..<count {
            let distance = items[item].wide.float - mean
            squares += distance * distance
        }
        let (total, distance) = (state.count + size, mean - state.mean)
        state.squares += squares + distance * distance * (state.count * size / total)
        state.mean += distance * (size / total)
        state.count = total
    }

    func value(_ state: State, count: Int) -> Value { .double(result(state)) }
    func item(_ state: State, count: Int) -> Output { Output.narrowed(result(state)).0 }

    private func result(_ state: State) -> Double {
        let variance = state.squares / state.count
        return isRoot ? variance.squareRoot() : variance
    }
}

struct ComplexSum<Part: Element & BinaryFloatingPoint>: Reducer {
    let isMean: Bool

    var initial: (re: CompensatedSum, im: CompensatedSum) { (CompensatedSum(), CompensatedSum()) }

    func add(
        _ items: UnsafePointer<Complex<Part>>, _ count: Int, to state: inout (re: CompensatedSum, im: CompensatedSum)
    ) {
        var sum = Complex<Double>(0, 0)
        for item in 0..<count { sum = sum + items[item].wide }
        state.re.add(sum.re)
        state.im.add(sum.im)
    }

    var hasPieces: Bool { true }
    @inline(__always) func begin(_ item: Complex<Part>) -> Complex<Double> { item.wide }
    @inline(__always) func extend(_ piece: inout Complex<Double>, _ item: Complex<Part>) { piece = piece + item.wide }
    @inline(__always) func take(
        _ piece: Complex<Double>, _ count: Int, into state: inout (re: CompensatedSum, im: CompensatedSum)
    ) {
        state.re.add(piece.re)
        state.im.add(piece.im)
    }

    func value(_ state: (re: CompensatedSum, im: CompensatedSum), count: Int) -> Value { result(state, count).value }
    func item(_ state: (re: CompensatedSum, im: CompensatedSum), count: Int) -> Complex<Part> {
        Complex<Part>.narrowed(result(state, count)).0
    }

    private func result(_ state: (re: CompensatedSum, im: CompensatedSum), _ count: Int) -> Complex<Double> {
        let divisor = isMean ? Double(count) : 1
        return Complex(state.re.total / divisor, state.im.total / divisor)
    }
}

struct ComplexProduct<Part: Element & BinaryFloatingPoint>: Reducer {
    typealias Piece = Int8

    var initial: Complex<Double> { Complex(1, 0) }

    func add(_ items: UnsafePointer<Complex<Part>>, _ count: Int, to state: inout Complex<Double>) {
        for item in 0..<count { state = state * items[item].wide }
    }

    func value(_ state: Complex<Double>, count: Int) -> Value { state.value }
    func item(_ state: Complex<Double>, count: Int) -> Complex<Part> { Complex<Part>.narrowed(state).0 }
}

/// Whether any item is true, or whether all are: what settles it is known beforehand.
struct Truth<Item: Element>: Reducer {
    let settling: Bool

    var initial: Bool { !settling }

    func add(_ items: UnsafePointer<Item>, _ count: Int, to state: inout Bool) {
        var isFound = false
        for item in 0..<count { isFound = isFound || items[item].wide.isTrue == settling }
        if isFound { state = settling }
    }

    var hasPieces: Bool { true }
    @inline(__always) func begin(_ item: Item) -> Bool { item.wide.isTrue == settling }
    @inline(__always) func extend(_ piece: inout Bool, _ item: Item) {
        piece = piece || item.wide.isTrue == settling
    }
    @inline(__always) func take(_ piece: Bool, _ count: Int, into state: inout Bool) { if piece { state = settling } }

    func isSettled(_ state: Bool) -> Bool { state == settling }
    func item(_ state: Bool, count: Int) -> Flag { Flag(state) }
}

struct Extreme<Item: Arithmetic>: Reducer {
    let isReversed: Bool

    var initial: Item? { nil }

    func add(_ items: UnsafePointer<Item>, _ count: Int, to state: inout Item?) {
        let next = Item.extreme(items, count, isReversed: isReversed)
        guard let best = state, !Self.isBetter(next, than: best, isReversed) else {
            state = next
            return
        }
    }

    var hasPieces: Bool { true }
    @inline(__always) func begin(_ item: Item) -> Item { item }
    @inline(__always) func extend(_ piece: inout Item, _ item: Item) {
        piece = Item.better(item, piece, isReversed: isReversed)
    }
    @inline(__always) func take(_ piece: Item, _ count: Int, into state: inout Item?) {
        guard let best = state, !Self.isBetter(piece, than: best, isReversed) else {
            state = piece
            return
        }
    }

    /// NaN is better than any number, as it is what the result is then.
    static func isBetter(_ next: Item, than best: Item, _ isReversed: Bool) -> Bool {
        if !Item.isEqual(best, best) { return false }
        return !Item.isEqual(next, next) || (isReversed ? Item.isLess(best, next) : Item.isLess(next, best))
    }

    func item(_ state: Item?, count: Int) throws(Failure) -> Item {
        guard let state else { throw Failure("eval/size", "there is no least or greatest of no items") }
        return state
    }
}

struct ExtremeIndex<Item: Arithmetic>: Reducer {
    typealias Piece = Int8

    struct State {
        var best: Item?
        var index = 0
        var passed = 0
    }

    let isReversed: Bool

    var initial: State { State() }

    func add(_ items: UnsafePointer<Item>, _ count: Int, to state: inout State) {
        let next = Item.extreme(items, count, isReversed: isReversed)
        if state.best.map({ Extreme.isBetter(next, than: $0, isReversed) }) ?? true {
            let isNaN = !Item.isEqual(next, next)
            let place = (0..<count).first {
                isNaN ? !Item.isEqual(items[$0], items[$0]) : Item.isEqual(items[$0], next)
            }
            state.best = next
            state.index = state.passed + (place ?? 0)
        }
        state.passed += count
    }

    func item(_ state: State, count: Int) -> Int64 { Int64(state.index) }
}
