import BigInt
import Language

/// Numbers from text, to text, and bit by bit.
extension Library {
    static func registerNumerals(in machine: Machine) {
        machine.add(
            "(number text radix)", 1...2,
            "The number a text stands for, exactly; with a radix from 2 to 36 an integer in it. A number is itself.",
            "(number \"42\") => 42", "(number \"1e3\") => 1000.0", "(number \"ff\" 16) => 255"
        ) { arguments throws(Failure) in try number(&arguments) }
        machine.add(
            "(to-string number radix)", 1...2, "An integer's digits in a radix from 2 to 36, 10 when none is given.",
            "(to-string 255 16) => \"ff\"", "(to-string -5 2) => \"-101\""
        ) { arguments throws(Failure) in
            let radix = try radix(&arguments)
            guard radix != 10 || arguments.count == 2 else { return .text(display(try arguments.data(0))) }
            return .text(String(try arguments.bigInteger(0), radix: radix))
        }
        registerBits(in: machine)
    }

    private static func radix(_ arguments: inout Arguments) throws(Failure) -> Int {
        let radix = arguments.count == 2 ? try arguments.integer(1) : 10
        guard (2...36).contains(radix) else { throw arguments.wrong(1, "a radix from 2 to 36") }
        return radix
    }

    private static func number(_ arguments: inout Arguments) throws(Failure) -> Value {
        let radix = try radix(&arguments)
        let given = try arguments.data(0)
        if Arithmetic.double(given) != nil { return given }
        guard case .string(let text) = given else { throw arguments.wrong(0, "a number's text") }
        let digits = text.string.trimmed
        try Limit.check(digits.utf8.count, Limit.digits, "digits")
        let isPlain =
            digits.utf8.allSatisfy { $0 < 0x80 && $0 != UInt8(ascii: "_") } && digits.utf8.contains { $0 > 0x2F }
        if isPlain, let small = Int(digits, radix: radix) { return .int(small) }
        if isPlain, let big = BigInt(digits, radix: radix) { return .integer(big) }
        let isDecimal = isPlain && radix == 10 && digits.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
        guard isDecimal, let double = Double(digits), double.isFinite else {
            throw Failure("eval/number", "\(Describe.short(given)) is not a number in radix \(radix)")
        }
        return .double(double)
    }

    private static func registerBits(in machine: Machine) {
        let operations: [(String, String, String, (BigInt, BigInt) -> BigInt)] = [
            ("bit-and", "The bits that both integers have.", "(bit-and 12 10) => 8", { $0 & $1 }),
            ("bit-or", "The bits that one of the integers has.", "(bit-or 12 10) => 14", { $0 | $1 }),
            ("bit-xor", "The bits that just one of the integers has.", "(bit-xor 12 10) => 6", { $0 ^ $1 }),
        ]
        for (name, text, example, operation) in operations {
            machine.add("(\(name) a b)", 2...2, text, example) { arguments throws(Failure) in
                .integer(operation(try arguments.bigInteger(0), try arguments.bigInteger(1)))
            }
        }
        machine.add(
            "(bit-shift number places)", 2...2,
            "The integer shifted to the left, to the right by negative places; exact, with its sign.",
            "(bit-shift 1 70) => 1180591620717411303424", "(bit-shift -8 -1) => -4"
        ) { arguments throws(Failure) in
            let number = try arguments.bigInteger(0)
            let places = try arguments.bigInteger(1)
            guard !number.isZero else { return .int(0) }
            if places.sign == .minus {
                guard let count = Int(exactly: -places), count < number.magnitude.bitWidth else {
                    return .int(number.sign == .minus ? -1 : 0)
                }
                return .integer(number >> count)
            }
            let count = Int(exactly: places) ?? .max
            try Limit.check(count, Limit.bits, "bits")
            try Limit.check(number.magnitude.bitWidth + count, Limit.bits, "bits")
            return .integer(number << count)
        }
    }
}

/// Decimal texts of exact values.
enum Decimals {
    static func fixed(_ number: Value, _ digits: Int) throws(Failure) -> String {
        switch number {
        case .double(let double): return fixed(double, digits)
        default:
            let text = (Arithmetic.integer(number) ?? 0).description
            return digits == 0 ? text : text + "." + String(repeating: "0", count: digits)
        }
    }

    /// The double's exact value rounded to so many places, half to even.
    static func fixed(_ double: Double, _ digits: Int) -> String {
        guard double.isFinite else { return Printer.text(.double(double)) }
        let scaled = scaled(double.magnitude, digits).description
        let padded = String(repeating: "0", count: max(0, digits + 1 - scaled.utf8.count)) + scaled
        let whole = padded.dropLast(digits)
        let sign = double.sign == .minus && scaled != "0" ? "-" : ""
        return digits == 0 ? sign + padded : sign + whole + "." + padded.suffix(digits)
    }

    /// The integer nearest to magnitude × 10^digits, the even one of two.
    private static func scaled(_ magnitude: Double, _ digits: Int) -> BigUInt {
        guard magnitude != 0 else { return 0 }
        let exponent = Int(magnitude.exponent) - 52
        let significand = BigUInt(magnitude.significand * 0x1p52) * BigUInt(10).power(digits)
        if exponent >= 0 { return significand << exponent }
        let (floor, half) = (significand >> -exponent, BigUInt(1) << (-exponent - 1))
        let rest = significand - (floor << -exponent)
        return rest > half || (rest == half && floor[bitAt: 0]) ? floor + 1 : floor
    }
}
