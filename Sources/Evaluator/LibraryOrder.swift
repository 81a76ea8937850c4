import BigInt
import Language

/// Sorting, grouping, and what is in a collection more than once.
extension Library {
    static func registerOrder(in machine: Machine) {
        machine.add(
            "(sort collection)", 1...1,
            "The items in order: numbers, texts by Unicode scalar, false before true, vectors item by item, null first. Equal ones keep their places.",
            "(sort [3 1 2]) => [1 2 3]", "(sort [\"b\" \"a\"]) => [\"a\" \"b\"]"
        ) { arguments throws(Failure) in
            let items = try arguments.sequence(0)
            return .vector(Items(try Sorting.places(by: items).map { items[$0] }))
        }
        machine.add(
            "(unique collection)", 1...1, "The items without those equal to an earlier one.",
            "(unique [1 2 1 1.0]) => [1 2]"
        ) { arguments throws(Failure) in
            var seen: Set<ValueKey> = []
            return .vector(Items(try arguments.sequence(0).filter { seen.insert(ValueKey($0)).inserted }))
        }
        machine.add(
            "(frequencies collection)", 1...1, "An object of how often each item is there, by the items' texts.",
            "(frequencies \"abca\") => {a: 2 b: 1 c: 1}"
        ) { arguments throws(Failure) in
            var counts = Object.Entries()
            for item in try arguments.sequence(0) {
                let key = Key(display(try item.unwrapped()))
                if case .int(let count)? = counts[key] { counts[key] = .int(count + 1) } else { counts[key] = .int(1) }
            }
            return .object(Object(counts))
        }
        registerKeyed(in: machine)
    }

    /// The second halves of functions whose first half computes a key for each item, in the language.
    private static func registerKeyed(in machine: Machine) {
        machine.register(
            Builtin("(%sort-with keys items)", arity: 2...2) { arguments throws(Failure) in
                let (keys, items) = (try arguments.items(0), try arguments.items(1))
                return .vector(Items(try Sorting.places(by: keys).map { items[$0] }))
            })
        machine.register(
            Builtin("(%group-with keys items)", arity: 2...2) { arguments throws(Failure) in
                let (keys, items) = (try arguments.items(0), try arguments.items(1))
                var places: [Key: Int] = [:]
                var names: [Key] = []
                var groups: [[Value]] = []
                for (key, item) in zip(keys, items) {
                    let name = Key(display(try key.unwrapped()))
                    if let place = places[name] {
                        groups[place].append(item)
                        continue
                    }
                    places[name] = groups.count
                    names.append(name)
                    groups.append([item])
                }
                let vectors = groups.map { Value.vector(Items($0)) }
                return .object(Object(Object.Entries(uniqueKeys: names, values: vectors)))
            })
        machine.register(
            Builtin("(%best-with keys items wanted)", arity: 3...3, lineage: .plain) { arguments throws(Failure) in
                let (keys, items) = (try arguments.items(0), try arguments.items(1))
                let wanted: Number.Order = try arguments.integer(2) > 0 ? .greater : .less
                guard var best = keys.indices.first else { return .null }
                for place in keys.indices where try Ordering.compare(keys[place], keys[best]) == wanted { best = place }
                return items[best]
            })
        machine.register(
            Builtin("(%select flags items)", arity: 2...2, lineage: .plain) { arguments throws(Failure) in
                let (flags, items) = (try arguments.items(0), try arguments.items(1))
                var chosen: [Value] = []
                for (flag, item) in zip(flags, items) where try flag.isTrue { chosen.append(item) }
                return .vector(Items(chosen))
            })
    }
}

/// Stable sorting.
enum Sorting {
    /// The places of the keys in order.
    static func places(by keys: [Value]) throws(Failure) -> [Int] {
        if let numbers = integers(keys) { return order(keys.count) { numbers[$0] < numbers[$1] } }
        if let texts = texts(keys) { return order(keys.count) { texts[$0] < texts[$1] } }
        var failure: Failure?
        let places = order(keys.count) { a, b in
            guard failure == nil else { return false }
            do throws(Failure) {
                return try Ordering.compare(keys[a], keys[b]) == .less
            } catch {
                failure = error
                return false
            }
        }
        // One comparison shows whether a lone item has an order at all.
        if keys.count == 1 { _ = try Ordering.compare(keys[0], keys[0]) }
        if let failure { throw failure }
        return places
    }

    /// Equal ones by their places: stable whatever the algorithm.
    private static func order(_ count: Int, _ isBefore: (Int, Int) -> Bool) -> [Int] {
        (0..<count).sorted { a, b in isBefore(a, b) || (a < b && !isBefore(b, a)) }
    }

    private static func integers(_ keys: [Value]) -> [Int]? {
        var result: [Int] = []
        result.reserveCapacity(keys.count)
        for key in keys {
            guard case .int(let int) = key else { return nil }
            result.append(int)
        }
        return result
    }

    private static func texts(_ keys: [Value]) -> [Key]? {
        var result: [Key] = []
        result.reserveCapacity(keys.count)
        for key in keys {
            guard case .string(let text) = key else { return nil }
            result.append(Key(text.string))
        }
        return result
    }
}
