/// An object's key. Two keys are one only when their Unicode scalars are: Swift's own string equality would merge
/// canonically equivalent spellings ("é" composed and decomposed), which JSON keeps apart.
public struct Key: Hashable, Comparable, ExpressibleByStringLiteral, Sendable {
    public let string: String

    public init(_ string: String) {
        self.string = string
    }

    public init(stringLiteral value: String) {
        self.string = value
    }

    public static func == (left: Key, right: Key) -> Bool {
        var (a, b) = (left.string, right.string)
        return a.withUTF8 { x in b.withUTF8 { y in x.count == y.count && x.elementsEqual(y) } }
    }

    /// Order by Unicode scalars, which is the order of the UTF-8 bytes.
    public static func < (left: Key, right: Key) -> Bool {
        left.string.utf8.lexicographicallyPrecedes(right.string.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(string)
    }
}
