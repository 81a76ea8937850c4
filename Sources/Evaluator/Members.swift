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
        if case .meta(let meta) = place.pointee, let data = try? meta.data() { place.pointee = data }
        if case .null = place.pointee { place.pointee = .object(Object([:])) }
        if let items = place.itemsPlace, case .int(let index) = key {
            replace(items, index, keys.dropFirst(), value)
        } else if let object = place.objectPlace, let name = Collections.keyText(key) {
            replace(object, name, keys.dropFirst(), value)
        }
    }

    private static func replace(
        _ place: UnsafeMutablePointer<Items>, _ index: Int, _ rest: ArraySlice<Value>, _ value: Value
    ) {
        if !isKnownUniquelyReferenced(&place.pointee) { place.pointee = Items(place.pointee.elements) }
        let items = place.pointee
        let position = index < 0 ? index + items.elements.count : index
        if position == items.elements.count { items.append(.null) }
        var item = Value.null
        swap(&item, &items.elements[position])
        replace(&item, rest, value)
        items.replace(at: position, with: item)
    }

    private static func replace(
        _ place: UnsafeMutablePointer<Object>, _ name: String, _ rest: ArraySlice<Value>, _ value: Value
    ) {
        if !isKnownUniquelyReferenced(&place.pointee) { place.pointee = Object(place.pointee.entries) }
        let object = place.pointee
        var item = object[name] ?? .null
        // The object lets go of the old value, so that it can be changed in place too.
        if !rest.isEmpty { object.set(name, .null) }
        replace(&item, rest, value)
        object.set(name, item)
    }
}
