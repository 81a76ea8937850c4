/// Reads the headers that kernels send: JSON, or plain fields when the first byte is a digit.
public struct MessageDecoder {
    public init() {}

    /// - Throws: `WireError.unreadableHeader`, or `.unreadableFields` for plain fields.
    public func decode(_ header: [UInt8]) throws(WireError) -> Message {
        if let reply = ReplyScanner.scan(header) { return .reply(reply) }
        if let first = header.first, (48...57).contains(first) { return try decodePlain(header) }
        do {
            return try Self.message(HeaderFields(header))
        } catch {
            throw .unreadableHeader(reason: error.reason, first: Array(header.prefix(64)))
        }
    }

    private static func message(_ fields: HeaderFields) throws(HeaderFields.Problem) -> Message {
        let operation = try fields.required(try fields.text("op"), "op")
        switch operation {
        case "hello": return .hello(try Hello(fields))
        case "ret": return .reply(try Reply(fields))
        case "err": return .failure(try ErrorHeader(fields))
        case "out": return .output(try OutputText(fields))
        case "release": return .release(try fields.releases("refs"))
        default:
            guard let known = Request.Operation(rawValue: operation) else {
                throw HeaderFields.Problem(reason: "unknown operation \(operation)")
            }
            return .upcall(try Upcall(fields, known))
        }
    }

    private func decodePlain(_ header: [UInt8]) throws(WireError) -> Message {
        let fields = try PlainFields.decodePairs(header)
        func unreadable(_ reason: String) -> WireError {
            .unreadableHeader(reason: reason, first: Array(header.prefix(64)))
        }
        switch fields["op"] {
        case "hello":
            guard let version = fields["protocol"] else { throw unreadable("no protocol version") }
            return .hello(
                Hello(
                    protocol: version, language: fields["language"] ?? "", version: fields["version"] ?? "",
                    operations: (fields["operations"] ?? "").split(separator: " ").map(String.init),
                    buffers: fields["buffers"], plain: true, executable: fields["executable"]))
        case "ret":
            guard let re = fields["re"].flatMap({ Int($0) }) else { throw unreadable("no request number") }
            return .reply(
                Reply(
                    re: re, type: fields["type"], elapsed: fields["elapsed"].flatMap { Double($0) },
                    status: fields["status"].flatMap { Int($0) }))
        case "err":
            var error = ErrorHeader(
                code: fields["code"] ?? "runtime/raised", message: fields["message"] ?? "",
                re: fields["re"].flatMap { Int($0) }, type: fields["type"])
            error.lost = fields["lost"]
            error.status = fields["status"].flatMap { Int($0) }
            return .failure(error)
        case let name:
            guard let operation = name.flatMap(Request.Operation.init(rawValue:)) else {
                throw unreadable("unknown operation \(name ?? "none")")
            }
            guard let id = fields["id"].flatMap({ Int($0) }) else { throw unreadable("no request number") }
            var upcall = Upcall(operation, id: id)
            upcall.servedRequest = fields["for"].flatMap { Int($0) }
            upcall.path = fields["path"]?.split(separator: ".").map(String.init)
            upcall.code = fields["code"]
            upcall.language = fields["language"]
            upcall.kinds = fields["kinds"]
            return .upcall(upcall)
        }
    }
}

/// The one header that decides what a small call costs, in the exact spelling that kernels use:
/// `{"op":"ret","re":1,"type":"int","elapsed":12.5}`. Anything else is read as JSON; a test holds both equal.
enum ReplyScanner {
    static func scan(_ header: [UInt8]) -> Reply? {
        header.withUnsafeBufferPointer { bytes in
            var cursor = Cursor(bytes: bytes)
            guard cursor.take("{\"op\":\"ret\",\"re\":"), let re = cursor.takeNumber() else { return nil }
            var reply = Reply(re: re)
            if cursor.take(",\"type\":\"") {
                guard let type = cursor.takePlainString() else { return nil }
                reply.type = type
            }
            if cursor.take(",\"elapsed\":") {
                guard let elapsed = cursor.takeDecimal() else { return nil }
                reply.elapsed = elapsed
            }
            return cursor.take("}") && cursor.isAtEnd ? reply : nil
        }
    }

    private struct Cursor {
        let bytes: UnsafeBufferPointer<UInt8>
        var position = 0

        var isAtEnd: Bool { position == bytes.count }

        mutating func take(_ text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            guard position + count <= bytes.count else { return false }
            for index in 0..<count where bytes[position + index] != text.utf8Start[index] { return false }
            position += count
            return true
        }

        /// At most 15 digits and no leading zero: exact as Int and as Double.
        mutating func takeNumber() -> Int? {
            let start = position
            var number = 0
            while position < bytes.count, (48...57).contains(bytes[position]), position - start < 16 {
                number = number * 10 + Int(bytes[position] - 48)
                position += 1
            }
            let digits = position - start
            guard digits > 0, digits < 16, digits == 1 || bytes[start] != 48 else { return nil }
            return number
        }

        mutating func takeDecimal() -> Double? {
            guard let whole = takeNumber() else { return nil }
            guard take(".") else { return Double(whole) }
            let start = position
            var scale = 1
            var digits = whole
            while position < bytes.count, (48...57).contains(bytes[position]), position - start < 7 {
                digits = digits &* 10 &+ Int(bytes[position] - 48)
                scale *= 10
                position += 1
            }
            // Both are exact below 2^53, so the quotient is the correctly rounded number that was written.
            guard position > start, position - start < 7, digits < 1 << 53, whole < 1_000_000_000 else { return nil }
            return Double(digits) / Double(scale)
        }

        mutating func takePlainString() -> String? {
            let start = position
            while position < bytes.count, bytes[position] != 34 {
                guard (32..<127).contains(bytes[position]), bytes[position] != 92 else { return nil }
                position += 1
            }
            guard position < bytes.count else { return nil }
            position += 1
            return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
        }
    }
}
