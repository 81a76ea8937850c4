import BigInt
import Language

/// The slow, exact ways of the operators: big integers, mixed kinds, MetaObjects, errors.
enum Arithmetic {
    static func double(_ value: Value) -> Double? {
        switch value {
        case .int(let int): Double(int)
        case .double(let double): double
        case .big(let big): rounded(big.value)
        default: nil
        }
    }

    /// The nearest float, infinite beyond a float's range.
    private static func rounded(_ integer: BigInt) -> Double {
        let result = integer.magnitude.bitWidth > 1024 ? .infinity : scaled(integer.magnitude, by: 0)
        return integer.sign == .minus ? -result : result
    }

    /// The operands as floats.
    ///
    /// - Throws: `eval/range` for an integer that no float is near.
    private static func floats(_ name: String, _ left: Value, _ right: Value) throws(Failure) -> (Double, Double) {
        guard let a = double(left), let b = double(right) else { throw wrongOperand(name, left, right) }
        for (value, float) in [(left, a), (right, b)] {
            if case .big = value, float.isInfinite {
                throw Failure("eval/range", "\(name) mixes a float with an integer beyond a float's range")
            }
        }
        return (a, b)
    }

    static func integer(_ value: Value) -> BigInt? {
        switch value {
        case .int(let int): BigInt(int)
        case .big(let big): big.value
        default: nil
        }
    }

    static func add(_ left: Value, _ right: Value) throws(Failure) -> Value {
        if case .int(let a) = left, case .int(let b) = right {
            let (sum, overflow) = a.addingReportingOverflow(b)
            return overflow ? .integer(BigInt(a) + BigInt(b)) : .int(sum)
        }
        return try apply("+", left, right, integers: +, doubles: +)
    }

    static func subtract(_ left: Value, _ right: Value) throws(Failure) -> Value {
        if case .int(let a) = left, case .int(let b) = right {
            let (difference, overflow) = a.subtractingReportingOverflow(b)
            return overflow ? .integer(BigInt(a) - BigInt(b)) : .int(difference)
        }
        return try apply("-", left, right, integers: -, doubles: -)
    }

    static func multiply(_ left: Value, _ right: Value) throws(Failure) -> Value {
        if case .int(let a) = left, case .int(let b) = right {
            let (product, overflow) = a.multipliedReportingOverflow(by: b)
            return overflow ? .integer(BigInt(a) * BigInt(b)) : .int(product)
        }
        return try apply("*", left, right, integers: *, doubles: *)
    }

    /// Float division, correctly rounded for integers of any size too.
    static func divide(_ left: Value, _ right: Value) throws(Failure) -> Value {
        if let a = integer(left), let b = integer(right) {
            if b.isZero { throw zeroDivisor("/", left) }
            return .double(try quotient(a, b))
        }
        let (a, b) = try floats("/", left, right)
        if b == 0 { throw zeroDivisor("/", left) }
        return .double(a / b)
    }

    static func floorDivide(_ left: Value, _ right: Value) throws(Failure) -> Value {
        if let a = integer(left), let b = integer(right) {
            if b.isZero { throw zeroDivisor("//", left) }
            let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
            let isBetween = !remainder.isZero && (remainder.sign != b.sign)
            return .integer(isBetween ? quotient - 1 : quotient)
        }
        let (a, b) = try floats("//", left, right)
        if b == 0 { throw zeroDivisor("//", left) }
        return .double(floorQuotient(a, b))
    }

    static func modulo(_ left: Value, _ right: Value) throws(Failure) -> Value {
        if let a = integer(left), let b = integer(right) {
            if b.isZero { throw zeroDivisor("mod", left) }
            let remainder = a % b
            return .integer(!remainder.isZero && remainder.sign != b.sign ? remainder + b : remainder)
        }
        let (a, b) = try floats("mod", left, right)
        if b == 0 { throw zeroDivisor("mod", left) }
        let remainder = a.truncatingRemainder(dividingBy: b)
        if remainder == 0 { return .double(b < 0 ? -0.0 : 0.0) }
        return .double((remainder < 0) != (b < 0) ? remainder + b : remainder)
    }

    /// The floor of the exact quotient, as Python's float floor division has it.
    private static func floorQuotient(_ a: Double, _ b: Double) -> Double {
        var remainder = a.truncatingRemainder(dividingBy: b)
        var quotient = (a - remainder) / b
        if remainder != 0, (remainder < 0) != (b < 0) {
            remainder += b
            quotient -= 1
        }
        guard quotient != 0 else { return (a / b).sign == .minus ? -0.0 : 0.0 }
        let floor = quotient.rounded(.down)
        return quotient - floor > 0.5 ? floor + 1 : floor
    }

    /// The float nearest to a/b, ties to even: a quotient of 66 or more bits with the remainder as a sticky bit.
    private static func quotient(_ a: BigInt, _ b: BigInt) throws(Failure) -> Double {
        if a.magnitude.bitWidth <= 53, b.magnitude.bitWidth <= 53 { return Double(Int(a)) / Double(Int(b)) }
        let shift = 66 - (a.magnitude.bitWidth - b.magnitude.bitWidth)
        let dividend = shift > 0 ? a.magnitude << shift : a.magnitude
        let divisor = shift < 0 ? b.magnitude << -shift : b.magnitude
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        let sticky = remainder.isZero ? quotient : quotient | 1
        let result = scaled(sticky, by: -shift)
        guard result.isFinite else {
            throw Failure("eval/range", "the quotient is beyond a float's range", help: "// gives an exact integer")
        }
        return a.sign == b.sign ? result : -result
    }

    /// value × 2^exponent rounded once, into the subnormals too.
    private static func scaled(_ value: BigUInt, by exponent: Int) -> Double {
        let drop = max(value.bitWidth - 53, -1074 - exponent)
        guard drop > 0 else { return Double(sign: .plus, exponent: exponent, significand: Double(UInt64(value))) }
        let kept = value >> drop
        let rest = value - (kept << drop)
        let half = BigUInt(1) << (drop - 1)
        let isUp = rest > half || (rest == half && kept.isOdd)
        return Double(sign: .plus, exponent: exponent + drop, significand: Double(UInt64(isUp ? kept + 1 : kept)))
    }

    static func compare(_ name: String, _ left: Value, _ right: Value) throws(Failure) -> Number.Order {
        let (a, b) = (try left.unwrapped(), try right.unwrapped())
        if let order = Number.compare(a, b) { return order }
        if let order = Ordering.compareAtoms(a, b) { return order }
        throw Failure(
            "eval/type",
            "\(name) compares two numbers or two strings, got \(Describe.short(left)) and \(Describe.short(right))",
            help: isArray(a) || isArray(b) ? "(buffer.less a b) and its like compare arrays item by item" : nil)
    }

    private static func apply(
        _ name: String, _ left: Value, _ right: Value, integers: (BigInt, BigInt) -> BigInt,
        doubles: (Double, Double) -> Double
    ) throws(Failure) -> Value {
        if case .double(let a) = left, case .double(let b) = right { return .double(doubles(a, b)) }
        if let a = integer(left), let b = integer(right) { return .integer(integers(a, b)) }
        let (a, b) = try floats(name, left, right)
        return .double(doubles(a, b))
    }

    private static func wrongOperand(_ name: String, _ left: Value, _ right: Value) -> Failure {
        let given = double(left) == nil ? left : right
        let isText = name == "+" && [left, right].contains { if case .string = $0 { true } else { false } }
        return Failure(
            "eval/type", "\(name) takes numbers, got \(Describe.short(given))",
            help: isText ? "(str a b) or a string at the head, (\"a\" b), joins text" : remoteHelp(given))
    }

    private static func isArray(_ value: Value) -> Bool {
        ((try? RemoteObject.find(in: value)) ?? nil)?.isData ?? false
    }

    private static func remoteHelp(_ value: Value) -> String? {
        guard (try? RemoteObject.find(in: value)) ?? nil != nil else { return nil }
        return "(fetch x) gives what an object of a runtime holds, as data"
    }

    private static func zeroDivisor(_ name: String, _ left: Value) -> Failure {
        Failure("eval/divide", "the divisor of \(name) is zero, dividing \(Describe.short(left))")
    }
}

extension BigUInt {
    fileprivate var isOdd: Bool { self[bitAt: 0] }
}

/// The order of values for sorting.
enum Ordering {
    /// Strings, keywords and symbols by Unicode scalar; false before true. Nil for other pairs.
    static func compareAtoms(_ left: Value, _ right: Value) -> Number.Order? {
        if let a = left.nameText, let b = right.nameText {
            return Key(a) < Key(b) ? .less : Key(a) == Key(b) ? .equal : .greater
        }
        if case .bool(let a) = left, case .bool(let b) = right { return a == b ? .equal : a ? .greater : .less }
        return nil
    }

    /// A total order over what sorts together: numbers (NaN last), strings, booleans, vectors of these item by item.
    static func compare(_ left: Value, _ right: Value) throws(Failure) -> Number.Order {
        let (a, b) = (try left.unwrapped(), try right.unwrapped())
        if let order = Number.compare(a, b) { return order == .unordered ? unordered(a, b) : order }
        if let order = compareAtoms(a, b) { return order }
        switch (a, b) {
        case (.null, .null): return .equal
        case (.null, _): return .less
        case (_, .null): return .greater
        case (.vector(let x), .vector(let y)): return try compare(x.elements, y.elements)
        default:
            throw Failure(
                "eval/type", "\(Describe.short(left)) and \(Describe.short(right)) have no order between them")
        }
    }

    private static func compare(_ left: [Value], _ right: [Value]) throws(Failure) -> Number.Order {
        for index in 0..<min(left.count, right.count) {
            let order = try compare(left[index], right[index])
            if order != .equal { return order }
        }
        return left.count < right.count ? .less : left.count == right.count ? .equal : .greater
    }

    private static func unordered(_ left: Value, _ right: Value) -> Number.Order {
        let isLeft = if case .double(let a) = left { a.isNaN } else { false }
        let isRight = if case .double(let b) = right { b.isNaN } else { false }
        return isLeft == isRight ? .equal : isLeft ? .greater : .less
    }
}
