import FoundationEssentials

/// A small generator (SplitMix64), so that a seed names a whole run of a property.
public struct Randomness: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    public mutating func below(_ limit: Int) -> Int {
        Int.random(in: 0..<limit, using: &self)
    }

    public mutating func pick<T>(_ choices: [T]) -> T {
        choices[below(choices.count)]
    }

    /// True once in `times`.
    public mutating func chance(_ times: Int) -> Bool {
        below(times) == 0
    }
}

/// The seeds of a property's rounds: META_SEED alone when it is set, else so many that the clock chose.
///
/// A failure's message names its seed: `META_SEED=… swift test` runs that round again.
public enum Seeds {
    public static func rounds(_ count: Int) -> [UInt64] {
        if let text = ProcessInfo.processInfo.environment["META_SEED"], let seed = UInt64(text) { return [seed] }
        var random = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt64.random(in: 0..<1_000_000_000, using: &random) }
    }
}
