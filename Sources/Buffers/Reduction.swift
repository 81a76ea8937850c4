import Language

/// What many items are made into one by.
///
/// Sums and products of whole numbers (bools count as 0 and 1) are exact, of any size over a whole array, and along an axis
/// checked to fit 64 bits. Floats are summed pairwise within pieces of 2,048 and pieces with compensation (Neumaier), which
/// is at least as near as NumPy's pairwise sum; float16 and float32 in double precision, so what they give is rounded once.
/// NaN anywhere makes sum, product, minimum, maximum, mean and variance NaN.
public enum Reduction: String, CaseIterable, Sendable {
    case sum
    case product
    case minimum = "min"
    case maximum = "max"
    case mean
    /// The mean square of the distances from the mean (of the whole population: divided by the count).
    case variance
    case standardDeviation = "std"
    case any
    case all
    /// Where the least item is, or the first NaN: the first of several.
    case indexOfMinimum = "argmin"
    case indexOfMaximum = "argmax"

    var name: String { rawValue }

    /// Whether there is an answer without items.
    var takesNone: Bool {
        switch self {
        case .sum, .product, .any, .all: true
        case .minimum, .maximum, .mean, .variance, .standardDeviation, .indexOfMinimum, .indexOfMaximum: false
        }
    }

    /// Whether complex numbers have it.
    var isComplex: Bool {
        switch self {
        case .sum, .product, .mean, .any, .all: true
        case .minimum, .maximum, .variance, .standardDeviation, .indexOfMinimum, .indexOfMaximum: false
        }
    }
}

/// How the items of one type become one result: a state that is fed pieces in order.
protocol Reducer {
    associatedtype Item: Element
    associatedtype State
    associatedtype Output: Element
    /// What a few items come to, of many results that are made side by side.
    associatedtype Piece: BitwiseCopyable

    var initial: State { get }
    /// Takes in the next items, at least one and at most `ItemSource.step`.
    func add(_ items: UnsafePointer<Item>, _ count: Int, to state: inout State)
    /// Whether pieces can be made item by item. Otherwise these three are never asked.
    var hasPieces: Bool { get }
    func begin(_ item: Item) -> Piece
    func extend(_ piece: inout Piece, _ item: Item)
    func take(_ piece: Piece, _ count: Int, into state: inout State)

    /// Whether no further item can change the result.
    func isSettled(_ state: State) -> Bool
    /// The result over a whole array.
    func value(_ state: State, count: Int) throws(Failure) -> Value
    /// The result as an item of an array.
    ///
    /// - Throws: `eval/overflow`, without a place.
    func item(_ state: State, count: Int) throws(Failure) -> Output
}

extension Reducer where Piece == Int8 {
    var hasPieces: Bool { false }
    func begin(_ item: Item) -> Int8 { 0 }
    func extend(_ piece: inout Int8, _ item: Item) {}
    func take(_ piece: Int8, _ count: Int, into state: inout State) {}
}

extension Reducer {
    func isSettled(_ state: State) -> Bool { false }
    func value(_ state: State, count: Int) throws(Failure) -> Value { try item(state, count: count).shown }
}

/// Code over reducers.
protocol ReducerVisitor {
    associatedtype Outcome
    func visit<R: Reducer>(_ reducer: R) throws(Failure) -> Outcome
}

extension Reduction {
    /// Runs the code for the reducer of items of a format; the least and greatest bools are found otherwise.
    ///
    /// - Throws: `eval/type` for what complex numbers do not have, and what the code does.
    func accept<V: ReducerVisitor>(_ format: ElementFormat, _ visitor: V) throws(Failure) -> V.Outcome {
        guard isComplex || !format.isComplex else {
            throw Failure("eval/type", "\(name) takes no complex numbers")
        }
        switch self {
        case .any, .all: return try format.accept(TruthChoice(reduction: self, visitor: visitor))
        case .minimum, .maximum, .indexOfMinimum, .indexOfMaximum:
            return try format.accept(arithmetic: ExtremeChoice(reduction: self, visitor: visitor))
        case .sum, .product, .mean, .variance, .standardDeviation: break
        }
        switch format {
        case .bool: return try whole(Flag.self, visitor)
        case .int8: return try whole(Int8.self, visitor)
        case .int16: return try whole(Int16.self, visitor)
        case .int32: return try whole(Int32.self, visitor)
        case .int64: return try whole(Int64.self, visitor)
        case .uint8: return try whole(UInt8.self, visitor)
        case .uint16: return try whole(UInt16.self, visitor)
        case .uint32: return try whole(UInt32.self, visitor)
        case .uint64: return try whole(UInt64.self, visitor)
        case .float16: return try float(Float16.self, visitor)
        case .float32: return try float(Float.self, visitor)
        case .float64: return try float(Double.self, visitor)
        case .complex64: return try complex(Float.self, visitor)
        case .complex128: return try complex(Double.self, visitor)
        }
    }

    private func whole<T: Element, V: ReducerVisitor>(
        _ type: T.Type, _ visitor: V
    ) throws(Failure) -> V.Outcome where T.Wide: FixedWidthInteger {
        switch self {
        case .product: try visitor.visit(WholeProduct<T>())
        case .mean: try visitor.visit(WholeMean<T>())
        case .variance, .standardDeviation: try visitor.visit(Spread<T, Double>(isRoot: self == .standardDeviation))
        default: try visitor.visit(WholeSum<T>())
        }
    }

    private func float<T: Element & BinaryFloatingPoint, V: ReducerVisitor>(
        _ type: T.Type, _ visitor: V
    ) throws(Failure) -> V.Outcome {
        switch self {
        case .product: try visitor.visit(FloatProduct<T>())
        case .variance, .standardDeviation: try visitor.visit(Spread<T, T>(isRoot: self == .standardDeviation))
        default: try visitor.visit(FloatSum<T>(isMean: self == .mean))
        }
    }

    private func complex<P: Element & BinaryFloatingPoint, V: ReducerVisitor>(
        _ type: P.Type, _ visitor: V
    ) throws(Failure) -> V.Outcome {
        if self == .product { return try visitor.visit(ComplexProduct<P>()) }
        return try visitor.visit(ComplexSum<P>(isMean: self == .mean))
    }
}

private struct TruthChoice<V: ReducerVisitor>: ElementVisitor {
    let reduction: Reduction
    let visitor: V

    func visit<T: Element>(_ type: T.Type) throws(Failure) -> V.Outcome {
        try visitor.visit(Truth<T>(settling: reduction == .any))
    }
}

private struct ExtremeChoice<V: ReducerVisitor>: ArithmeticVisitor {
    let reduction: Reduction
    let visitor: V

    func visit<T: Arithmetic>(_ type: T.Type) throws(Failure) -> V.Outcome {
        switch reduction {
        case .indexOfMinimum: try visitor.visit(ExtremeIndex<T>(isReversed: false))
        case .indexOfMaximum: try visitor.visit(ExtremeIndex<T>(isReversed: true))
        case .maximum: try visitor.visit(Extreme<T>(isReversed: true))
        default: try visitor.visit(Extreme<T>(isReversed: false))
        }
    }
}
