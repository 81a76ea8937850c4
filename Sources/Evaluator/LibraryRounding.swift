import BigInt
import Language

/// Numbers by their size: rounding, signs, extremes, sums.
extension Library {
    static func registerRounding(in machine: Machine) {
        registerIntegers(in: machine)
        registerExtremes(in: machine)
        registerSteps(in: machine)
    }

    private static func registerIntegers(in machine: Machine) {
        machine.add("(floor number)", 1...1, "The greatest integer not above the number.", "(floor -1.5) => -2") {
            arguments throws(Failure) in try integer(&arguments, .down)
        }
        machine.add("(ceil number)", 1...1, "The least integer not below the number.", "(ceil 1.2) => 2") {
            arguments throws(Failure) in try integer(&arguments, .up)
        }
        machine.add("(trunc number)", 1...1, "The number without its fraction.", "(trunc -1.5) => -1") {
            arguments throws(Failure) in try integer(&arguments, .towardZero)
        }
        machine.add(
            "(round number digits)", 1...2,
            "The nearest integer, the even one of two that are as near; with digits, the nearest number of so many decimal places.",
            "(round 2.5) => 2", "(round 3.14159 2) => 3.14"
        ) { arguments throws(Failure) in
            guard arguments.count == 2 else { return try integer(&arguments, .toNearestOrEven) }
            let digits = try arguments.integer(1)
            guard (0...300).contains(digits) else { throw arguments.wrong(1, "0 to 300 digits") }
            guard case .double(let double) = try arguments.number(0), double.isFinite else {
                return try arguments.number(0)
            }
            return .double(Double(Decimals.fixed(double, digits)) ?? double)
        }
    }

    private static func integer(
        _ arguments: inout Arguments, _ rule: FloatingPointRoundingRule
    ) throws(Failure) -> Value {
        let number = try arguments.number(0)
        guard case .double(let double) = number else { return number }
        let rounded = double.rounded(rule)
        if let int = Int(exactly: rounded) { return .int(int) }
        guard let big = BigInt(exactly: rounded) else {
            throw Failure(
                "eval/range", "\(arguments.function.name) takes a finite number, got \(Describe.short(number))")
        }
        return .integer(big)
    }

    private static func registerExtremes(in machine: Machine) {
        machine.add(
            "(max …numbers)", 1...Int.max, "The greatest of the numbers, or of one collection's. NaN when one is NaN.",
            "(max 1 3 2) => 3", "(max [1 5]) => 5"
        ) { arguments throws(Failure) in try extreme(&arguments, .greater) }
        machine.add(
            "(min …numbers)", 1...Int.max, "The least of the numbers, or of one collection's. NaN when one is NaN.",
            "(min 1 3 2) => 1", "(min [4 2.5]) => 2.5"
        ) { arguments throws(Failure) in try extreme(&arguments, .less) }
    }

    private static func extreme(_ arguments: inout Arguments, _ wanted: Number.Order) throws(Failure) -> Value {
        var numbers: [Value] = []
        if arguments.count == 1, Arithmetic.double(try arguments.data(0)) == nil {
            numbers = try arguments.numbers(0)
        } else {
            for index in 0..<arguments.count { numbers.append(try arguments.number(index)) }
        }
        guard var best = numbers.first else { throw arguments.wrong(0, "at least one number") }
        for number in numbers.dropFirst() {
            switch Number.compare(number, best) {
            case wanted: best = number
            case .unordered: return .double(.nan)
            case .less, .equal, .greater, nil: break
            }
        }
        return best
    }

    private static func registerSteps(in machine: Machine) {
        machine.add("(abs number)", 1...1, "The number without its sign.", "(abs -3) => 3", "(abs 2.5) => 2.5") {
            arguments throws(Failure) in
            switch try arguments.number(0) {
            case .double(let double): return .double(double.magnitude)
            case let number: return .integer(BigInt((Arithmetic.integer(number) ?? 0).magnitude))
            }
        }
        machine.add("(inc number)", 1...1, "The number and one.", "(inc 1) => 2") { arguments throws(Failure) in
            try Arithmetic.add(try arguments.number(0), .int(1))
        }
        machine.add("(dec number)", 1...1, "The number less one.", "(dec 1) => 0") { arguments throws(Failure) in
            try Arithmetic.subtract(try arguments.number(0), .int(1))
        }
        machine.add("(sum numbers)", 1...1, "The sum of a collection's numbers.", "(sum [1 2 3.5]) => 6.5") {
            arguments throws(Failure) in
            var sum = Value.int(0)
            for number in try arguments.numbers(0) { sum = try Arithmetic.add(sum, number) }
            return sum
        }
        machine.add("(mean numbers)", 1...1, "The average of a collection's numbers.", "(mean [1 2 6]) => 3.0") {
            arguments throws(Failure) in
            let numbers = try arguments.numbers(0)
            guard !numbers.isEmpty else { throw arguments.wrong(0, "at least one number") }
            var sum = Value.int(0)
            for number in numbers { sum = try Arithmetic.add(sum, number) }
            return try Arithmetic.divide(sum, .int(numbers.count))
        }
    }
}
