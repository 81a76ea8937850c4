/// One message: a header that says what it is, and a body of values that only its two ends need to understand.
public struct Frame: Equatable, Sendable {
    public var header: [UInt8]
    public var body: [UInt8]

    public init(header: [UInt8], body: [UInt8] = []) {
        self.header = header
        self.body = body
    }

    /// Bytes in front of a header: two counts of eight hexadecimal digits.
    public static let prefixLength = 16
    public static let headerLimit = 1 << 20
    public static let bodyLimit = 1 << 31

    /// The frame as it crosses.
    /// - Throws: `WireError` when a part is larger than a receiver accepts.
    public func encoded() throws(WireError) -> [UInt8] {
        var bytes = try Self.prefix(header: header.count, body: body.count)
        bytes.reserveCapacity(Self.prefixLength + header.count + body.count)
        bytes += header
        bytes += body
        return bytes
    }

    /// The two counts in front of a frame, for a sender that does not want its parts copied together.
    public static func prefix(header: Int, body: Int) throws(WireError) -> [UInt8] {
        guard header <= headerLimit else { throw .tooLarge(part: .header, count: header, limit: headerLimit) }
        guard body <= bodyLimit else { throw .tooLarge(part: .body, count: body, limit: bodyLimit) }
        var bytes: [UInt8] = []
        appendCount(header, to: &bytes)
        appendCount(body, to: &bytes)
        return bytes
    }

    private static func appendCount(_ count: Int, to bytes: inout [UInt8]) {
        for shift in stride(from: 28, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: (count >> shift) & 15)
            bytes.append(digit < 10 ? 48 + digit : 87 + digit)
        }
    }
}

/// Why bytes of a child are not a message of this protocol.
public enum WireError: Error, Equatable, Sendable {
    public enum Part: String, Sendable { case header, body }

    /// `first` holds the bytes that stand where a frame's two counts belong, at most 64 of them.
    case notAFrame(first: [UInt8])
    case tooLarge(part: Part, count: Int, limit: Int)
    /// The header is not JSON, not plain fields, or lacks what its operation needs.
    case unreadableHeader(reason: String, first: [UInt8])
    /// Plain fields that do not follow `<decimal>:<bytes>,`.
    case unreadableFields(offset: Int)

    public var message: String {
        switch self {
        case .notAFrame(let first):
            "expected 16 hexadecimal digits at the start of a message, got \(Self.quoted(first))"
        case .tooLarge(let part, let count, let limit):
            "a message's \(part.rawValue) may hold \(limit) bytes, got \(count)"
        case .unreadableHeader(let reason, let first):
            "unreadable message header (\(reason)): \(Self.quoted(first))"
        case .unreadableFields(let offset):
            "expected a field '<count>:<bytes>,' at byte \(offset)"
        }
    }

    /// Bytes as a person can read them: printable ASCII as it is, the rest as `\xhh`.
    static func quoted(_ bytes: [UInt8]) -> String {
        var text = "\""
        for byte in bytes.prefix(64) {
            switch byte {
            case 10: text += "\\n"
            case 34, 92: text += "\\" + String(UnicodeScalar(byte))
            case 32..<127: text += String(UnicodeScalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text + "\""
    }
}
