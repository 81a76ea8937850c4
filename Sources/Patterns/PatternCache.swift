/// Compiled patterns by their text, the last ones used.
public final class PatternCache {
    private var patterns: [[UInt8]: (pattern: Pattern, use: Int)] = [:]
    private var uses = 0
    private static let limit = 64

    public init() {}

    public func pattern(_ text: String) throws(PatternError) -> Pattern {
        uses += 1
        let key = Array(text.utf8)
        if let known = patterns[key]?.pattern {
            patterns[key] = (known, uses)
            return known
        }
        let pattern = try Pattern(text)
        if patterns.count >= Self.limit, let oldest = patterns.min(by: { $0.value.use < $1.value.use })?.key {
            patterns[oldest] = nil
        }
        patterns[key] = (pattern, uses)
        return pattern
    }
}
