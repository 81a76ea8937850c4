import CPCRE2

/// A compiled regular expression in Perl's notation over UTF-8. A match that would take too long is an error: every
/// search has a limit on its steps, its depth and its memory.
public final class Pattern {
    /// Groups without the whole match.
    public let groupCount: Int
    /// The groups that have names, in the order of their names.
    public let names: [(name: String, group: Int)]
    // Safety: made in `init`, freed in `deinit`, never handed out.
    private let code: OpaquePointer
    private let match: OpaquePointer
    private let context: OpaquePointer

    /// Steps of one search; the slowest machines take about a second for so many.
    private static let stepLimit: UInt32 = 10_000_000
    private static let heapLimit: UInt32 = 65_536  // KiB

    public init(_ text: String) throws(PatternError) {
        var number: Int32 = 0
        var offset = 0
        let bytes = Array(text.utf8) + [0]
        let options = UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP) | UInt32(PCRE2_NEVER_BACKSLASH_C)
        guard let code = pcre2_compile_8(bytes, bytes.count - 1, options, &number, &offset, nil) else {
            throw .syntax(Self.message(number), scalar: bytes[..<min(offset, bytes.count)].count { $0 & 0xC0 != 0x80 })
        }
        guard let match = pcre2_match_data_create_from_pattern_8(code, nil),
            let context = pcre2_match_context_create_8(nil)
        else {
            pcre2_code_free_8(code)
            throw .limit("memory")
        }
        pcre2_set_match_limit_8(context, Self.stepLimit)
        pcre2_set_heap_limit_8(context, Self.heapLimit)
        (self.code, self.match, self.context) = (code, match, context)
        var groups: UInt32 = 0
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &groups)
        groupCount = Int(groups)
        names = Self.names(of: code)
    }

    deinit {
        pcre2_match_context_free_8(context)
        pcre2_match_data_free_8(match)
        pcre2_code_free_8(code)
    }

    /// The first match that begins at the byte `start` or behind it: the byte ranges of the whole and of each group, nil
    /// for a group that took no part.
    ///
    /// - Parameter start: from 0 to the subject's count, where a scalar begins.
    public func first(in subject: Subject, from start: Int) throws(PatternError) -> [Range<Int>?]? {
        let result = subject.bytes.withUnsafeBufferPointer { bytes in
            pcre2_match_8(code, bytes.baseAddress, subject.count, start, UInt32(PCRE2_NO_UTF_CHECK), match, context)
        }
        switch result {
        case PCRE2_ERROR_NOMATCH: return nil
        case PCRE2_ERROR_MATCHLIMIT: throw .limit("\(Self.stepLimit) steps")
        case PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_HEAPLIMIT, PCRE2_ERROR_NOMEMORY:
            throw .limit("\(Self.heapLimit / 1024) MiB")
        case ..<0: throw .failed(Self.message(result))
        default: return ranges(limit: subject.count)
        }
    }

    private func ranges(limit: Int) -> [Range<Int>?] {
        // Safety: the vector belongs to the match data and has a pair for the whole match and each group.
        guard let vector = pcre2_get_ovector_pointer_8(match) else { return [] }
        return (0...groupCount).map { group in
            let (lower, upper) = (vector[2 * group], vector[2 * group + 1])
            // An unset group has the greatest number, -1 here; \K can put a start behind its end.
            return lower >= 0 && lower <= upper && upper <= limit ? lower..<upper : nil
        }
    }

    private static func names(of code: OpaquePointer) -> [(name: String, group: Int)] {
        var (count, size): (UInt32, UInt32) = (0, 0)
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &count)
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &size)
        var table: UnsafePointer<UInt8>?
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
        guard let table else { return [] }
        // Safety: `count` entries of `size` bytes: the group in two bytes, then the name, which ends with a zero.
        return (0..<Int(count)).map { index in
            let entry = table + index * Int(size)
            return (String(cString: entry + 2), Int(entry[0]) << 8 | Int(entry[1]))
        }
    }

    private static func message(_ number: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = pcre2_get_error_message_8(number, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<Int(count)], as: UTF8.self) : "error \(number)"
    }
}

/// A text that patterns are looked for in.
public struct Subject {
    // One zero more, so that an empty text has an address too.
    let bytes: [UInt8]

    public init(_ text: String) {
        bytes = Array(text.utf8) + [0]
    }

    /// Bytes of UTF-8.
    public var count: Int { bytes.count - 1 }

    public func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    /// The place behind the scalar at a place; one more than the count at the end.
    public func next(_ place: Int) -> Int {
        var place = place + 1
        while place < count, bytes[place] & 0xC0 == 0x80 { place += 1 }
        return place
    }

    /// How many scalars a range has.
    public func scalars(_ range: Range<Int>) -> Int {
        bytes[range].count { $0 & 0xC0 != 0x80 }
    }
}

public enum PatternError: Error {
    /// What is wrong with the pattern, and before which of its scalars.
    case syntax(String, scalar: Int)
    /// The search took more than this.
    case limit(String)
    case failed(String)
}
