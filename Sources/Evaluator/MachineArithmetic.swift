import Language

/// The operators on anything but two small integers or floats.
extension Machine {
    /// Applies the operator to the two top values. Returns the new top; nil when an owner was asked for contents: it is to
    /// be applied again when they are there.
    func binary(
        _ primitive: Primitive, _ sp: UnsafeMutablePointer<Value>, _ fiber: Fiber
    ) throws(Failure) -> UnsafeMutablePointer<Value>? {
        guard let result = try apply(primitive, sp[-2], sp[-1], fiber) else { return nil }
        let top = sp - 1
        top.deinitialize(count: 1)
        top[-1] = result
        return top
    }

    func add(_ value: Value, _ number: Int, _ fiber: Fiber) throws(Failure) -> Value? {
        number < 0
            ? try apply(.subtract, value, .int(-number), fiber) : try apply(.add, value, .int(number), fiber)
    }

    private func apply(
        _ primitive: Primitive, _ left: Value, _ right: Value, _ fiber: Fiber
    ) throws(Failure) -> Value? {
        var parents: [Int] = []
        let (a, b) = (try look(left, &parents), try look(right, &parents))
        let result: Value
        if let object = try Self.remote(among: a, b) {
            fiber.answer = nil
            fiber.isFetching = false
            do throws(Failure) {
                result = try object.operate(primitive.rawValue, [a, b])
            } catch {
                try fetch(whatLacks: error, fiber)
                return nil
            }
        } else {
            switch primitive {
            case .add: result = try Arithmetic.add(a, b)
            case .subtract: result = try Arithmetic.subtract(a, b)
            default: result = try Arithmetic.multiply(a, b)
            }
        }
        return parents.isEmpty ? result : derive(result, by: primitive.rawValue, from: parents)
    }

    /// Asks for what an instruction lacks, so that it can run again.
    ///
    /// - Throws: the failure itself when it lacks nothing.
    private func fetch(whatLacks failure: Failure, _ fiber: Fiber) throws(Failure) {
        guard let fetching = prerequisite(failure) else { throw failure }
        var none = Arguments(base: fiber.base, count: 0, function: fetching)
        guard case .suspend = try fetching.call([], &none, in: fiber) else { throw failure }
        fiber.isAsking = true
        fiber.isFetching = true
    }

    private static func remote(among left: Value, _ right: Value) throws(Failure) -> RemoteObject? {
        if case .function = left, let object = try RemoteObject.find(in: left) { return object }
        if case .function = right { return try RemoteObject.find(in: right) }
        return nil
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
            if !fiber.isFetching { return try answer.isTrue }
            fiber.isFetching = false
        }
        do throws(Failure) {
            switch try object.ask(.equality(other), in: fiber) {
            case .value(let value): return try value.isTrue
            case .suspend, .call: fiber.isAsking = true
            }
        } catch {
            try fetch(whatLacks: error, fiber)
        }
        return nil
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
