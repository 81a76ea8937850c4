import Language

/// The operators on anything but two small integers or floats.
extension Machine {
    /// Applies the operator to the two top values. Returns the new top.
    func binary(
        _ primitive: Primitive, _ sp: UnsafeMutablePointer<Value>
    ) throws(Failure) -> UnsafeMutablePointer<Value> {
        let result = try apply(primitive, sp[-2], sp[-1])
        let top = sp - 1
        top.deinitialize(count: 1)
        top[-1] = result
        return top
    }

    func add(_ value: Value, _ number: Int) throws(Failure) -> Value {
        number < 0 ? try apply(.subtract, value, .int(-number)) : try apply(.add, value, .int(number))
    }

    private func apply(_ primitive: Primitive, _ left: Value, _ right: Value) throws(Failure) -> Value {
        var parents: [Int] = []
        let (a, b) = (try look(left, &parents), try look(right, &parents))
        let result: Value
        switch primitive {
        case .add: result = try Arithmetic.add(a, b)
        case .subtract: result = try Arithmetic.subtract(a, b)
        default: result = try Arithmetic.multiply(a, b)
        }
        return parents.isEmpty ? result : derive(result, by: primitive.rawValue, from: parents)
    }

    private func look(_ value: Value, _ parents: inout [Int]) throws(Failure) -> Value {
        guard case .meta(let meta) = value else { return value }
        if parents.last != meta.number { parents.append(meta.number) }
        return try meta.data()
    }

    /// Whether the comparison holds; nil when an owner was asked: it is to be made again when the answer is there.
    func holds(
        _ comparison: Comparison, _ left: Value, _ right: Value, _ fiber: Fiber
    ) throws(Failure) -> Bool? {
        guard comparison == .equal, left.mayBeRemote || right.mayBeRemote,
            let (object, other) = try Self.remote(left, right)
        else {
            return try compare(comparison, left, right)
        }
        if let answer = fiber.answer {
            fiber.answer = nil
            return try answer.isTrue
        }
        switch try object.ask(.equality(other), in: fiber) {
        case .value(let value): return try value.isTrue
        case .suspend, .call:
            fiber.isAsking = true
            return nil
        }
    }

    /// The remote object of the two, unless both are the same, and the other value. Null equals none.
    private static func remote(_ left: Value, _ right: Value) throws(Failure) -> (RemoteObject, Value)? {
        let (a, b) = (try left.unwrapped(), try right.unwrapped())
        if case .null = a { return nil }
        if case .null = b { return nil }
        if case .function(let one) = a, case .function(let other) = b, one === other { return nil }
        if let object = try RemoteObject.find(in: a) { return (object, right) }
        if let object = try RemoteObject.find(in: b) { return (object, left) }
        return nil
    }

    /// Puts items in the place of a remote object on the top of the stack. True when the fiber waits.
    func spread(_ fiber: Fiber, _ limit: Value) throws(Failure) -> Bool {
        let value = (fiber.base + (fiber.top - 1)).pointee
        guard try RemoteObject.find(in: value) != nil else { return false }
        fiber.drop(to: fiber.top - 1)
        push(fiber, globals.named("%all-items").value ?? .null)
        push(fiber, value)
        push(fiber, limit)
        return try call(fiber, 2, mask: 0)
    }

    func compare(_ comparison: Comparison, _ left: Value, _ right: Value) throws(Failure) -> Bool {
        if comparison == .equal { return try Value.equal(left, right) }
        let order = try Arithmetic.compare(comparison.name, left, right)
        switch comparison {
        case .less: return order == .less
        case .lessOrEqual: return order == .less || order == .equal
        case .greater: return order == .greater
        case .greaterOrEqual: return order == .greater || order == .equal
        case .equal: return order == .equal
        }
    }
}

extension Value {
    fileprivate var mayBeRemote: Bool {
        switch self {
        case .function, .meta: true
        default: false
        }
    }
}

extension Comparison {
    var name: String {
        switch self {
        case .less: "<"
        case .lessOrEqual: "<="
        case .greater: ">"
        case .greaterOrEqual: ">="
        case .equal: "="
        }
    }
}
