import Glibc
import Language

/// How segments are named: `meta-<uid>-<pid>-<8 hex>` is a family, all segments of one meta; `<family>-lock` says that it
/// lives; `<family>-<session>-<number>-<16 hex>` is a segment.
public struct SegmentName: Hashable, Sendable {
    public let family: String
    /// 0 for meta's own.
    public let session: Int
    public let number: Int

    /// The parts of a segment's name; nil for any other text.
    public init?(_ name: String) {
        guard let family = Self.family(of: name) else { return nil }
        let rest = name.dropFirst(family.utf8.count + 1).split(separator: "-", omittingEmptySubsequences: false)
        guard rest.count == 3, let session = Self.decimal(rest[0]), let number = Self.decimal(rest[1]),
            Self.isHexadecimal(rest[2], digits: 16)
        else { return nil }
        self.family = family
        self.session = session
        self.number = number
    }

    /// What every name of this user's segments begins with.
    static var userPrefix: String { "meta-\(geteuid())-" }

    static func newFamily() -> String {
        "\(userPrefix)\(getpid())-\(randomDigits(8))"
    }

    static func new(prefix: String, number: Int) -> String {
        "\(prefix)\(number)-\(randomDigits(16))"
    }

    static func lock(of family: String) -> String { family + "-lock" }

    /// The family of a segment or lock of this user; nil for any other name, however near.
    static func family(of name: String) -> String? {
        let parts = name.split(separator: "-", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "meta", parts[1] == "\(geteuid())", decimal(parts[2]) != nil,
            isHexadecimal(parts[3], digits: 8), isPlain(name)
        else { return nil }
        return parts[..<4].joined(separator: "-")
    }

    /// Whether there are nothing but letters, digits and `-`.
    static func isPlain(_ name: String) -> Bool {
        name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }

    private static func decimal(_ text: Substring) -> Int? {
        guard let number = Int(text), String(number) == text, number >= 0 else { return nil }
        return number
    }

    private static func isHexadecimal(_ text: Substring, digits: Int) -> Bool {
        text.utf8.count == digits
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func randomDigits(_ count: Int) -> String {
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return String((String(repeating: "0", count: 16) + digits).suffix(count))
    }
}
