import BigInt

/// Reads JSON text exactly (RFC 8259): integers of any size stay integers, `1.0` stays a float, keys keep their order.
///
/// Errors are `json/…` with the byte offset: a duplicate key, a trailing comma, a lone surrogate, invalid UTF-8, a
/// number out of a float's range, nesting past 1,000 levels.
public enum JSON {
    public static func parse(_ text: String) throws(Failure) -> Value {
        try parse(Array(text.utf8))
    }

    public static func parse(_ bytes: [UInt8]) throws(Failure) -> Value {
        try parse(bytes, tags: false)
    }

    /// - Parameter tags: whether objects with a `_type` are the envelope's tagged values.
    static func parse(
        _ bytes: [UInt8], tags: Bool, references: ListedReferences? = nil
    ) throws(Failure) -> Value {
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<Value, Failure> in
            var parser = JSONParser(buffer, tags: tags, references: references)
            do throws(Failure) { return .success(try parser.document()) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

struct JSONParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let tags: Bool
    private let references: ListedReferences?
    private var position = 0
    private var depth = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, tags: Bool, references: ListedReferences? = nil) {
        self.bytes = bytes
        self.tags = tags
        self.references = references
    }

    mutating func document() throws(Failure) -> Value {
        skipSpace()
        let result = try value()
        skipSpace()
        guard position == bytes.count else { throw unexpected("the end of the text") }
        return result
    }

    private mutating func value() throws(Failure) -> Value {
        guard position < bytes.count else { throw unexpected("a value") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(Text(try string()))
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw unexpected("a value")
        }
    }

    private mutating func object() throws(Failure) -> Value {
        try enter()
        var entries = Object.Entries()
        skipSpace()
        if take(UInt8(ascii: "}")) {
            depth -= 1
            return .object(Object(entries))
        }
        while true {
            skipSpace()
            let start = position
            guard peek == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw unexpected("a colon after the key") }
            skipSpace()
            if entries.updateValue(try value(), forKey: Key(key)) != nil {
                throw failure("json/duplicate", "duplicate key \(Printer.quoted(key))", at: start)
            }
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "}")) else { throw unexpected("a comma or }") }
            depth -= 1
            let object = Object(entries)
            return tags ? try Envelope.untag(object, references) : .object(object)
        }
    }

    private mutating func array() throws(Failure) -> Value {
        try enter()
        var elements: [Value] = []
        skipSpace()
        if take(UInt8(ascii: "]")) {
            depth -= 1
            return .vector(Items(elements))
        }
        while true {
            skipSpace()
            elements.append(try value())
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "]")) else { throw unexpected("a comma or ]") }
            depth -= 1
            return .vector(Items(elements))
        }
    }

    private mutating func string() throws(Failure) -> String {
        let start = position + 1
        var end = start
        var isASCII = true
        while end < bytes.count {
            let byte = bytes[end]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            if byte >= 0x80 { isASCII = false }
            end += 1
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { return try escapedString() }
        position = end + 1
        let part = UnsafeBufferPointer(rebasing: bytes[start..<end])
        return isASCII ? String(decoding: part, as: UTF8.self) : try checked(part, at: start)
    }

    private mutating func escapedString() throws(Failure) -> String {
        let start = position
        position += 1
        var decoded: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try checked(decoded, at: start)
            case UInt8(ascii: "\\"): try escape(into: &decoded)
            case 0..<0x20:
                throw failure("json/control", "a control character in a string must be escaped", at: position)
            default:
                decoded.append(byte)
                position += 1
            }
        }
        throw failure("json/unclosed", "the string is not closed", at: start)
    }

    private mutating func escape(into decoded: inout [UInt8]) throws(Failure) {
        let start = position
        guard position + 1 < bytes.count else { throw failure("json/unclosed", "the string is not closed", at: start) }
        let letter = bytes[position + 1]
        position += 2
        if let plain = StringEscape.byte(for: letter) {
            decoded.append(plain)
            return
        }
        guard letter == UInt8(ascii: "u") else {
            throw failure("json/escape", "unknown escape \\\(Character(Unicode.Scalar(letter)))", at: start)
        }
        let scalar = try unicodeEscape(at: start)
        decoded.append(contentsOf: Array(String(Character(scalar)).utf8))
    }

    private mutating func unicodeEscape(at start: Int) throws(Failure) -> Unicode.Scalar {
        let first = try fourDigits(at: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw loneSurrogate(at: start) }
        position += 2
        let second = try fourDigits(at: start)
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw loneSurrogate(at: start) }
        return scalar
    }

    private mutating func fourDigits(at start: Int) throws(Failure) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure("json/escape", "\\u takes four digits", at: start) }
        var result: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = StringEscape.hexDigit(byte) else {
                throw failure("json/escape", "\\u takes four hexadecimal digits", at: start)
            }
            result = result << 4 | UInt32(digit)
        }
        position += 4
        return result
    }

    private mutating func number() throws(Failure) -> Value {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let digits = position
        skipDigits()
        guard position > digits, bytes[digits] != UInt8(ascii: "0") || position == digits + 1 else {
            throw failure("json/number", "malformed number", at: start)
        }
        let isInteger = try !fractionAndExponent(at: start)
        let text = UnsafeBufferPointer(rebasing: bytes[start..<position])
        return isInteger ? Numeral.integer(text) : try Numeral.double(text, at: start)
    }

    /// Skips what makes a number a float and says whether there was any.
    private mutating func fractionAndExponent(at start: Int) throws(Failure) -> Bool {
        let before = position
        if take(UInt8(ascii: ".")) {
            let digits = position
            skipDigits()
            guard position > digits else { throw failure("json/number", "a digit must follow the point", at: start) }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            let digits = position
            skipDigits()
            guard position > digits else { throw failure("json/number", "a digit must follow the e", at: start) }
        }
        return position > before
    }

    private mutating func word(_ text: StaticString, _ value: Value) throws(Failure) -> Value {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { throw unexpected("a value") }
        for index in 0..<count where bytes[position + index] != text.utf8Start[index] { throw unexpected("a value") }
        position += count
        return value
    }

    private mutating func enter() throws(Failure) {
        position += 1
        depth += 1
        if depth > Nesting.limit {
            throw failure("json/depth", "nests deeper than \(Nesting.limit) levels", at: position - 1)
        }
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func skipDigits() {
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private var peek: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private func checked(_ part: some Collection<UInt8>, at start: Int) throws(Failure) -> String {
        guard let text = String(validating: part, as: UTF8.self) else {
            throw failure("json/utf8", "invalid UTF-8 in a string", at: start)
        }
        return text
    }

    private func loneSurrogate(at offset: Int) -> Failure {
        failure("json/surrogate", "a lone surrogate is not text", at: offset)
    }

    private func unexpected(_ wanted: String) -> Failure {
        guard position < bytes.count else {
            return failure("json/syntax", "the text ends where \(wanted) is wanted", at: position)
        }
        let given = Printer.sanitized(String(decoding: [bytes[position]], as: UTF8.self))
        return failure("json/syntax", "expected \(wanted), got \(given)", at: position)
    }

    private func failure(_ code: String, _ message: String, at offset: Int) -> Failure {
        Failure(code, "\(message) (offset \(offset))", span: nil)
    }
}
