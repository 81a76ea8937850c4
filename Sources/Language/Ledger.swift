/// Where values came from: a bounded ring of entries, numbered from 1.
///
/// Entries hold no values but small scalars; what is older than `capacity` entries is dropped and shown as dropped.
public final class Ledger {
    public static let capacity = 65_536

    /// One step in a value's life.
    public struct Entry {
        public let source: String
        /// The code, path or builtin that made it.
        public let code: String
        public let foreignType: String
        /// Where the form stands.
        public let location: Location?
        /// Seconds since 1970, when known.
        public let start: Double?
        /// Microseconds, when known.
        public let duration: Double?
        public let parents: [Int]
        /// A short text of the value.
        public let summary: String

        public init(
            source: String, code: String, foreignType: String = "", location: Location? = nil, start: Double? = nil,
            duration: Double? = nil, parents: [Int] = [], summary: String
        ) {
            self.source = source
            self.code = code
            self.foreignType = foreignType
            self.location = location
            self.start = start
            self.duration = duration
            self.parents = parents
            self.summary = summary
        }
    }

    private var ring: [Entry?] = []
    private var next = 1

    public init() {}

    /// Records a step and returns its number.
    public func record(_ entry: Entry) -> Int {
        let slot = next % Self.capacity
        if ring.count <= slot {
            ring += Array(repeating: nil, count: min(Self.capacity, max(64, ring.count * 2, slot + 1)) - ring.count)
        }
        ring[slot] = entry
        next += 1
        return next - 1
    }

    /// The entry, or nil when it was dropped.
    public subscript(number: Int) -> Entry? {
        guard number > 0, number < next, number > next - Self.capacity else { return nil }
        return ring[number % Self.capacity]
    }
}
