/// Equality of tagged values: by what they mean, not by how they are written.
extension Value {
    static func equal(_ a: Tagged, _ b: Tagged) throws(Failure) -> Bool {
        guard a.type == b.type else { return false }
        switch a.tag {
        case .set?: return haveSameItems(a.items ?? [], b.items ?? [], isExact: false)
        case .map?: return try equal(mapping: a, b)
        case .decimal?, .fraction?, .dateTime?, .duration?:
            return a.canonical.map { $0 == b.canonical } ?? false
        default: return try equal(.object(a.fields), .object(b.fields))
        }
    }

    static func identical(_ a: Tagged, _ b: Tagged) throws(Failure) -> Bool {
        guard a.type == b.type else { return false }
        if a.tag == .set { return haveSameItems(a.items ?? [], b.items ?? [], isExact: true) }
        return try identical(.object(a.fields), .object(b.fields))
    }

    private static func equal(mapping a: Tagged, _ b: Tagged) throws(Failure) -> Bool {
        guard let entries = a.entries, entries.count == b.entries?.count else { return false }
        // Keys that are equal here but not to the map's owner leave fewer places than entries.
        guard a.places.count == entries.count, b.places.count == entries.count else {
            return haveSameItems(a.items ?? [], b.items ?? [], isExact: false)
        }
        for (key, value) in entries {
            guard let other = b.value(forKey: key), try equal(value, other) else { return false }
        }
        return true
    }

    /// Whether each item is as often in the one as in the other, in any order.
    private static func haveSameItems(_ a: [Value], _ b: [Value], isExact: Bool) -> Bool {
        guard a.count == b.count else { return false }
        var counts: [ValueKey: Int] = [:]
        for item in a { counts[ValueKey(item, isExact: isExact), default: 0] += 1 }
        for item in b {
            let key = ValueKey(item, isExact: isExact)
            guard let count = counts[key], count > 0 else { return false }
            counts[key] = count - 1
        }
        return true
    }
}
