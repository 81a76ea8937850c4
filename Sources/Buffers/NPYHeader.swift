import Language

/// The head of a `.npy` file: magic, version, and a Python dictionary that says what follows (NumPy's NEP 1).
struct NPYHeader {
    let format: ElementFormat
    let isBigEndian: Bool
    let isFortranOrder: Bool
    let shape: [Int]
    /// Where the items begin.
    let dataOffset: Int

    /// Bytes that say how long the head is, at most.
    static let prologue = 12
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// More than any shape of 32 axes needs; NumPy itself refuses more than 10,000.
    private static let longest = 1 << 16

    /// The length of the whole head.
    ///
    /// - Parameter bytes: the file's first ones, `prologue` of them if there are so many.
    /// - Throws: `buffer/npy`.
    static func length(_ bytes: [UInt8]) throws(Failure) -> Int {
        guard bytes.count >= 10 else { throw wrong(bytes.count, "the file ends in its head") }
        if let place = magic.indices.first(where: { bytes[$0] != magic[$0] }) {
            throw wrong(place, "no .npy file begins so")
        }
        let (size, limit): (Int, Int)
        switch (bytes[6], bytes[7]) {
        case (1, 0): (size, limit) = (10 + Int(bytes[8]) + Int(bytes[9]) << 8, 10)
        case (2, 0), (3, 0):
            guard bytes.count >= 12 else { throw wrong(bytes.count, "the file ends in its head") }
            (size, limit) = (12 + (0..<4).reduce(0) { $0 + Int(bytes[8 + $1]) << (8 * $1) }, 12)
        default: throw wrong(6, "version \(bytes[6]).\(bytes[7]) is not 1.0, 2.0 or 3.0")
        }
        guard size - limit <= longest else { throw wrong(8, "a head of \(size - limit) bytes is too long") }
        return size
    }

    /// - Parameter bytes: the whole head.
    /// - Throws: `buffer/npy`, with the byte and what is wrong there.
    init(_ bytes: [UInt8]) throws(Failure) {
        let length = try Self.length(Array(bytes.prefix(Self.prologue)))
        guard bytes.count >= length else { throw Self.wrong(bytes.count, "the file ends in its head") }
        var scanner = LiteralScanner(bytes: Array(bytes[..<length]), place: bytes[6] == 1 ? 10 : 12)
        var (descr, order, shape): (ElementFormat?, Bool?, [Int]?)
        var isBigEndian = false
        try scanner.expect("{")
        while !scanner.take("}") {
            let place = scanner.next
            switch try scanner.text() {
            case "descr" where descr == nil:
                try scanner.expect(":")
                (descr, isBigEndian) = try Self.format(&scanner)
            case "fortran_order" where order == nil:
                try scanner.expect(":")
                order = try scanner.bool()
            case "shape" where shape == nil:
                try scanner.expect(":")
                shape = try scanner.numbers()
            case let key: throw Self.wrong(place, "\(Printer.quoted(String(key.prefix(40)))) is unknown or there again")
            }
            if !scanner.take(",") {
                try scanner.expect("}")
                break
            }
        }
        try scanner.expectEnd()
        guard let descr, let order, let shape else {
            throw Self.wrong(scanner.place, "descr, fortran_order and shape are not all there")
        }
        (format, self.isBigEndian, isFortranOrder, self.shape) = (descr, isBigEndian, order, shape)
        dataOffset = length
    }

    private static func format(_ scanner: inout LiteralScanner) throws(Failure) -> (ElementFormat, Bool) {
        let place = scanner.next
        guard !scanner.isAt("[") else { throw wrong(place, "items that are structures are not read") }
        let text = try scanner.text()
        let order = text.first ?? " "
        guard "<>=|".contains(order), let format = formats.first(where: { $0.1 == text.dropFirst() })?.0,
            order != "|" || format.size == 1
        else {
            throw wrong(place, "\(Printer.quoted(String(text.prefix(40)))) is no format of numbers that is read")
        }
        return (format, order == ">" && format.size > 1)
    }

    private static let formats: [(ElementFormat, String)] = [
        (.bool, "b1"), (.int8, "i1"), (.int16, "i2"), (.int32, "i4"), (.int64, "i8"), (.uint8, "u1"), (.uint16, "u2"),
        (.uint32, "u4"), (.uint64, "u8"), (.float16, "f2"), (.float32, "f4"), (.float64, "f8"), (.complex64, "c8"),
        (.complex128, "c16"),
    ]

    /// The head of a file of version 1.0, as NumPy writes it: its length a multiple of 64.
    static func bytes(_ format: ElementFormat, shape: [Int], isFortranOrder: Bool) -> [UInt8] {
        let name = formats.first { $0.0 == format }?.1 ?? ""
        let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var text = "{'descr': '\(format.size == 1 ? "|" : "<")\(name)', "
        text += "'fortran_order': \(isFortranOrder ? "True" : "False"), 'shape': (\(extents)), }"
        let length = (10 + text.utf8.count + 1 + 63) / 64 * 64 - 10
        text += String(repeating: " ", count: length - text.utf8.count - 1) + "\n"
        return magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
    }

    static func wrong(_ place: Int, _ problem: String) -> Failure {
        Failure("buffer/npy", "byte \(place): \(problem)")
    }
}

/// Reads the few Python literals that a head has.
private struct LiteralScanner {
    let bytes: [UInt8]
    private(set) var place: Int

    init(bytes: [UInt8], place: Int) {
        self.bytes = bytes
        self.place = place
    }

    /// Where the next token begins.
    var next: Int {
        mutating get {
            skip()
            return place
        }
    }

    private mutating func skip() {
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    }

    mutating func isAt(_ character: Unicode.Scalar) -> Bool {
        skip()
        return place < bytes.count && bytes[place] == UInt8(ascii: character)
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard isAt(character) else { return false }
        place += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
        guard take(character) else { throw NPYHeader.wrong(place, "\(character) expected") }
    }

    mutating func expectEnd() throws(Failure) {
        skip()
        guard place == bytes.count else { throw NPYHeader.wrong(place, "the head's end expected") }
    }

    /// A string in either kind of quotes; escapes are none of a head's.
    mutating func text() throws(Failure) -> String {
        skip()
        let start = place
        guard start < bytes.count, bytes[start] == 0x27 || bytes[start] == 0x22 else {
            throw NPYHeader.wrong(start, "a text in quotes expected")
        }
        guard let end = bytes[(start + 1)...].firstIndex(of: bytes[start]) else {
            throw NPYHeader.wrong(start, "the quotes have no end")
        }
        place = end + 1
        return String(decoding: bytes[(start + 1)..<end], as: UTF8.self)
    }

    mutating func bool() throws(Failure) -> Bool {
        skip()
        for (word, value) in [("True", true), ("False", false)] where bytes[place...].starts(with: word.utf8) {
            place += word.utf8.count
            return value
        }
        throw NPYHeader.wrong(place, "True or False expected")
    }

    /// A tuple of whole numbers from 0 on.
    mutating func numbers() throws(Failure) -> [Int] {
        try expect("(")
        var numbers: [Int] = []
        while !take(")") {
            numbers.append(try number())
            // NumPy of Python 2 wrote long integers so.
            _ = take("L")
            if !take(",") {
                try expect(")")
                break
            }
        }
        return numbers
    }

    private mutating func number() throws(Failure) -> Int {
        skip()
        let digits = bytes[place...].prefix { (0x30...0x39).contains($0) }
        guard let number = Int(String(decoding: digits, as: UTF8.self)) else {
            throw NPYHeader.wrong(
                place, digits.isEmpty ? "a whole number from 0 on expected" : "the number is too large")
        }
        place += digits.count
        return number
    }
}
