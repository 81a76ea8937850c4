import Language

/// Objects: keys and values, and new objects from old ones.
extension Library {
    static func registerObjects(in machine: Machine) {
        registerViews(in: machine)
        registerChanges(in: machine)
    }

    private static func registerViews(in machine: Machine) {
        machine.add(
            "(keys object)", 1...1, "The keys of an object or map, in order.", "(keys {a: 1 b: 2}) => [\"a\" \"b\"]"
        ) {
            arguments throws(Failure) in
            try arguments.leave(to: "%members")
            if let map = try arguments.map(0) { return .vector(Items(map.map(\.key))) }
            return .texts(try arguments.entries(0).keys.map(\.string))
        }
        machine.add(
            "(values object)", 1...1, "The values of an object or map, in order.", "(values {a: 1 b: 2}) => [1 2]"
        ) {
            arguments throws(Failure) in
            if let map = try arguments.map(0) { return .vector(Items(map.map(\.value))) }
            return .vector(Items(Array(try arguments.entries(0).values)))
        }
        machine.add(
            "(entries object)", 1...1,
            "The object's [key value] pairs, in order; object-from puts them together again.",
            "(entries {a: 1}) => [[\"a\" 1]]"
        ) { arguments throws(Failure) in
            if try arguments.map(0) != nil { return .vector(Items(try arguments.sequence(0))) }
            return .vector(Items(try arguments.entries(0).elements.map { Collections.pair($0.key, $0.value) }))
        }
        machine.add(
            "(has? collection key)", 2...2, "Whether the object or map has that key, or the vector or text that index.",
            "(has? {a: null} :a) => true", "(has? [1 2] 5) => false", lineage: .plain
        ) { arguments throws(Failure) in
            let key = try arguments.data(1)
            switch try arguments.content(0) {
            case .null: return .bool(false)
            case .tagged(let tagged) where tagged.tag == .map: return .bool(tagged.value(forKey: key) != nil)
            case .object(let object):
                guard let name = Collections.keyText(key) else { throw arguments.wrong(1, "a name") }
                return .bool(object[name] != nil)
            default:
                let count = try arguments.stretch(0).count
                guard let index = Arithmetic.integer(key) else { throw arguments.wrong(1, "an index") }
                return .bool(index >= -count && index < count)
            }
        }
    }

    private static func registerChanges(in machine: Machine) {
        machine.add(
            "(assoc collection …keys-and-values)", 1...Int.max,
            "The object, or vector, with values under keys; the index behind the last item appends.",
            "(assoc {a: 1} :b 2) => {a: 1 b: 2}", "(assoc [1 2] 0 9) => [9 2]"
        ) { arguments throws(Failure) in
            guard !arguments.count.isMultiple(of: 2) else {
                throw Failure("eval/arity", "assoc takes a collection, then keys and values in pairs")
            }
            var value = try arguments.content(0)
            for index in stride(from: 1, to: arguments.count, by: 2) {
                value = try value.with([arguments[index]], arguments[index + 1])
            }
            return value
        }
        machine.add(
            "(assoc-in collection path value)", 3...3, "The collection with a value at the end of a path of keys.",
            "(assoc-in {a: {b: 1}} [:a :b] 2) => {a: {b: 2}}"
        ) { arguments throws(Failure) in
            try arguments.content(0).with(try arguments.items(1), arguments[2])
        }
        machine.add(
            "(dissoc object …keys)", 1...Int.max, "The object without those keys.", "(dissoc {a: 1 b: 2} :a) => {b: 2}"
        ) { arguments throws(Failure) in
            var entries = try arguments.entries(0)
            for index in 1..<arguments.count { entries.removeValue(forKey: Key(try arguments.string(index))) }
            return .object(Object(entries))
        }
        machine.add(
            "(select-keys object keys)", 2...2, "The object with only those of its keys, in their order.",
            "(select-keys {a: 1 b: 2 c: 3} [:c :a]) => {c: 3 a: 1}"
        ) { arguments throws(Failure) in
            let entries = try arguments.entries(0)
            var chosen = Object.Entries()
            for item in try arguments.items(1) {
                guard let name = Collections.keyText(item) else { throw arguments.wrong(1, "a vector of names") }
                if let value = entries[Key(name)] { chosen[Key(name)] = value }
            }
            return .object(Object(chosen))
        }
        machine.add(
            "(merge …objects)", 0...Int.max, "One object of all keys; of one key the last value counts.",
            "(merge {a: 1 b: 1} {b: 2}) => {a: 1 b: 2}"
        ) { arguments throws(Failure) in
            var merged = Object.Entries()
            for index in 0..<arguments.count { merged.merge(try arguments.entries(index)) { $1 } }
            return .object(Object(merged))
        }
    }
}

extension Arguments {
    /// The keys and values of a map; nil for what is none.
    mutating func map(_ index: Int) throws(Failure) -> [(key: Value, value: Value)]? {
        if case .tagged(let tagged) = try data(index) { tagged.entries } else { nil }
    }

    /// An object's entries; null has none.
    mutating func entries(_ index: Int) throws(Failure) -> Object.Entries {
        if case .null = try content(index) { return [:] }
        return try object(index).entries
    }
}

extension Value {
    /// A copy with a value at the end of the path.
    func with(_ path: [Value], _ value: Value) throws(Failure) -> Value {
        var copy = self
        try withUnsafeMutablePointer(to: &copy) { place throws(Failure) in try Members.put(place, path[...], value) }
        return copy
    }
}
