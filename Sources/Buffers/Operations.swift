import Language

/// What is done with the items of two arrays, one from each.
public enum BinaryOperation: String, CaseIterable, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "mod"
    case minimum = "min"
    case maximum = "max"

    /// The format that the operands are brought to, which is the result's: that in which they meet
    /// (`ElementFormat.promoted`); bools count as `int64`; `/` of whole numbers is of float64.
    func format(_ a: ElementFormat, _ b: ElementFormat) -> ElementFormat {
        let common = a.promoted(with: b)
        switch common.kind {
        case .boolean: return self == .divide ? .float64 : .int64
        case .signed, .unsigned: return self == .divide ? .float64 : common
        case .float, .complex: return common
        }
    }

    /// Whether complex numbers have it.
    var isComplex: Bool {
        switch self {
        case .add, .subtract, .multiply, .divide: true
        case .floorDivide, .modulo, .minimum, .maximum: false
        }
    }

    /// Whether a second operand of 0 has no whole result.
    var isDivision: Bool {
        switch self {
        case .divide, .floorDivide, .modulo: true
        case .add, .subtract, .multiply, .minimum, .maximum: false
        }
    }
}

/// How the items of two arrays are compared, one from each. NaN is equal to nothing, and in no order with anything.
public enum Comparison: String, CaseIterable, Sendable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// The same with the operands exchanged.
    var flipped: Comparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }

    /// Whether it needs an order, which complex numbers do not have.
    var isOrder: Bool { self != .equal && self != .notEqual }
}

/// What is done with each item of an array.
public enum UnaryOperation: String, CaseIterable, Sendable {
    case negate
    case abs
    /// -1, 0 or 1.
    case sign
    case floor
    case ceil
    case trunc
    /// To the nearest whole number, halves to the even one.
    case round
    case sqrt
    case exp
    case log
    case log2
    case log10
    case sin
    case cos
    case tan
    case asin
    case acos
    case atan
    case sinh
    case cosh
    case tanh
    /// Whether it is NaN.
    case isNaN = "nan?"
    /// Whether it is neither NaN nor infinite.
    case isFinite = "finite?"
    /// Whether it is false: a zero or NaN.
    case not

    enum Kind {
        /// A number of the same format.
        case arithmetic
        /// A float.
        case transcendental
        /// A bool.
        case test
    }

    var kind: Kind {
        switch self {
        case .negate, .abs, .sign, .floor, .ceil, .trunc, .round: .arithmetic
        case .sqrt, .exp, .log, .log2, .log10, .sin, .cos, .tan, .asin, .acos, .atan, .sinh, .cosh, .tanh:
            .transcendental
        case .isNaN, .isFinite, .not: .test
        }
    }
}
