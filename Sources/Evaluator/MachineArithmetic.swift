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
