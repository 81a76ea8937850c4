import BigInt
import Evaluator
import Glibc
import Language

/// `math.*`: what the C library computes, and exact integers.
enum LibraryMath {
    static func register(in machine: Machine) {
        for (name, value) in [("pi", Double.pi), ("e", M_E), ("inf", .infinity), ("nan", .nan)] {
            machine.globals.define("math." + name, .double(value))
        }
        registerRoots(in: machine)
        registerAngles(in: machine)
        registerExact(in: machine)
    }

    private static func registerRoots(in machine: Machine) {
        machine.add("(math.sqrt number)", 1...1, "The square root of a number from 0.", "(math.sqrt 16) => 4.0") {
            arguments throws(Failure) in
            if let big = try bigOperand(&arguments) {
                guard big.sign == .plus else { throw domain(&arguments, "a number from 0") }
                let places = max(0, big.magnitude.bitWidth - 128) & ~1
                let root = Double(big >> places).squareRoot()
                return try inRange(Double(sign: .plus, exponent: places / 2, significand: root), &arguments)
            }
            let number = try arguments.double(0)
            guard !(number < 0) else { throw domain(&arguments, "a number from 0") }
            return .double(number.squareRoot())
        }
        machine.add("(math.exp number)", 1...1, "e to the power of the number.", "(math.exp 0) => 1.0") {
            arguments throws(Failure) in .double(exp(try arguments.double(0)))
        }
        machine.add(
            "(math.log number base)", 1...2, "The logarithm of a number above 0: natural, or to a base.",
            "(math.log 1) => 0.0", "(math.log 1024 2) => 10.0", "(math.log 1000 10) => 3.0"
        ) { arguments throws(Failure) in
            let base = arguments.count == 2 ? try arguments.double(1) : M_E
            guard base.isNaN || (base > 0 && base != 1) else {
                throw Failure("eval/domain", "the base of a logarithm is above 0 and not 1, got \(base)")
            }
            if let big = try bigOperand(&arguments) {
                guard big.sign == .plus else { throw domain(&arguments, "a number above 0") }
                let places = big.magnitude.bitWidth - 64
                return .double((log(Double(big >> places)) + Double(places) * M_LN2) / log(base))
            }
            let number = try arguments.double(0)
            guard !(number <= 0) else { throw domain(&arguments, "a number above 0") }
            return .double(
                base == 2
                    ? log2(number) : base == 10 ? log10(number) : base == M_E ? log(number) : log(number) / log(base))
        }
    }

    private static func registerAngles(in machine: Machine) {
        let functions: [(String, String, String, (Double) -> Double)] = [
            ("sin", "The sine of an angle in radians.", "(math.sin 0) => 0.0", sin),
            ("cos", "The cosine of an angle in radians.", "(math.cos 0) => 1.0", cos),
        ]
        for (name, text, example, function) in functions {
            machine.add("(math.\(name) angle)", 1...1, text, example) { arguments throws(Failure) in
                .double(function(try arguments.double(0)))
            }
        }
        machine.add(
            "(math.atan y x)", 1...2, "The angle whose tangent is y, or y over x in its quadrant, in radians.",
            "(math.atan 0) => 0.0", "(round (math.atan 1 -1) 4) => 2.3562"
        ) { arguments throws(Failure) in
            let y = try arguments.double(0)
            return .double(arguments.count == 2 ? atan2(y, try arguments.double(1)) : atan(y))
        }
    }

    private static func registerExact(in machine: Machine) {
        machine.add(
            "(math.pow base exponent)", 2...2,
            "The power; exact for integers, a float where the exponent is negative or one of the two is a float.",
            "(math.pow 2 100) => 1267650600228229401496703205376", "(math.pow 2 0.5) => 1.4142135623730951"
        ) { arguments throws(Failure) in
            let (base, exponent) = (try arguments.number(0), try arguments.number(1))
            if let base = integer(base), let exponent = integer(exponent), exponent.sign == .plus {
                return .integer(try power(base, exponent))
            }
            let (x, y) = (try arguments.double(0), try arguments.double(1))
            let result = pow(x, y)
            guard !result.isNaN || x.isNaN || y.isNaN else {
                throw domain(&arguments, "a base from 0 for a power that is no integer")
            }
            return .double(result)
        }
        machine.add(
            "(math.gcd …integers)", 1...Int.max, "The greatest integer that divides all of them.",
            "(math.gcd 12 18) => 6"
        ) { arguments throws(Failure) in
            var result = BigInt(0)
            for index in 0..<arguments.count {
                result = result.greatestCommonDivisor(with: try arguments.bigInteger(index))
            }
            return .integer(result)
        }
    }

    private static func power(_ base: BigInt, _ exponent: BigInt) throws(Failure) -> BigInt {
        if base.magnitude <= 1 { return exponent.isZero ? 1 : exponent.isMultiple(of: 2) ? base * base : base }
        let count = Int(exactly: exponent) ?? .max
        let (bits, overflow) = (base.magnitude.bitWidth - 1).multipliedReportingOverflow(by: count)
        try Limit.check(overflow ? .max : max(bits, count), Limit.bits, "bits")
        return base.power(count)
    }

    private static func integer(_ value: Value) -> BigInt? {
        switch value {
        case .int(let int): BigInt(int)
        case .big(let big): big.value
        default: nil
        }
    }

    /// The first argument when it is an integer beyond a word.
    private static func bigOperand(_ arguments: inout Arguments) throws(Failure) -> BigInt? {
        if case .big(let big) = try arguments.data(0) { big.value } else { nil }
    }

    private static func domain(_ arguments: inout Arguments, _ allowed: String) -> Failure {
        Failure("eval/domain", arguments.wrong(0, allowed).message)
    }

    private static func inRange(_ double: Double, _ arguments: inout Arguments) throws(Failure) -> Value {
        guard double.isFinite else { throw Failure("eval/range", "the result is beyond a float's range") }
        return .double(double)
    }
}
