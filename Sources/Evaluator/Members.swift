import Language

/// Changing a value along keys: in place where nothing else holds it, on copies where something does.
enum Members {
    /// - Throws: `eval/type`, `eval/index`; the place is unchanged then.
    static func put(_ place: UnsafeMutablePointer<Value>, _ keys: ArraySlice<Value>, _ value: Value) throws(Failure) {
        try check(place.pointee, keys, value)
        replace(place, keys, value)
    }

    private static func check(_ owner: Value, _ keys: ArraySlice<Value>, _ value: Value) throws(Failure) {
        guard let first = keys.first else { return try Nesting.check(value.depth) }
        let key = try first.unwrapped()
        let rest = keys.dropFirst()
        switch try owner.unwrapped() {
        case .null:
            guard Collections.keyText(key) != nil else { throw Collections.wrongKey(key, "an object", "a name") }
            try check(.null, rest, value)
        case .object(let object):
            guard let name = Collections.keyText(key) else { throw Collections.wrongKey(key, "an object", "a name") }
            try check(object[name] ?? .null, rest, value)
        case .vector(let items), .list(let items):
            guard case .int(let index) = key else { throw Collections.wrongKey(key, "a vector", "an integer") }
            let count = items.elements.count
            guard (-count...count).contains(index) else {
                throw Failure(
                    "eval/index", "index \(index) is outside a vector of \(count)", help: "index \(count) appends")
            }
            let place = index < 0 ? index + count : index
            try check(place < count ? items.elements[place] : .null, rest, value)
        default:
            throw Failure("eval/type", "\(Describe.kind(owner)) \(Describe.short(owner)) has no members to set")
        }
        try Nesting.check(value.depth + keys.count)
    }

    private static func replace(_ place: UnsafeMutablePointer<Value>, _ keys: ArraySlice<Value>, _ value: Value) {
        guard let first = keys.first, let key = try? first.unwrapped() else {
            place.pointee = value
            return
        }
        let rest = keys.dropFirst()
        let owner = (try? place.move().unwrapped()) ?? .null
        place.initialize(to: .null)
        switch consume owner {
        case .vector(let items): place.pointee = .vector(replaced(items, key, rest, value))
        case .list(let items): place.pointee = .list(replaced(items, key, rest, value))
        case .object(let object): place.pointee = .object(replaced(object, key, rest, value))
        default: place.pointee = .object(replaced(Object([:]), key, rest, value))
        }
    }

    private static func replaced(
        _ items: consuming Items, _ key: Value, _ rest: ArraySlice<Value>, _ value: Value
    ) -> Items {
        guard case .int(let index) = key else { return items }
        if !isKnownUniquelyReferenced(&items) { items = Items(items.elements) }
        let place = index < 0 ? index + items.elements.count : index
        if place == items.elements.count { items.append(.null) }
        var item = Value.null
        swap(&item, &items.elements[place])
        replace(&item, rest, value)
        items.replace(at: place, with: item)
        return items
    }

    private static func replaced(
        _ object: consuming Object, _ key: Value, _ rest: ArraySlice<Value>, _ value: Value
    ) -> Object {
        guard let name = Collections.keyText(key) else { return object }
        if !isKnownUniquelyReferenced(&object) { object = Object(object.entries) }
        var item = object[name] ?? .null
        if !rest.isEmpty { object.set(name, .null) }
        replace(&item, rest, value)
        object.set(name, item)
        return object
    }
}
