import BigInt
import Language

extension Library {
    static func registerNumbers(in machine: Machine) {
        registerOperators(in: machine)
        registerComparisons(in: machine)
    }

    private static func registerOperators(in machine: Machine) {
        machine.register(
            Builtin(
                "(+ …numbers)", arity: 0...Int.max,
                documentation: Documentation("The sum.", examples: ["(+ 1 2 3) => 6", "(+) => 0"]),
                body: { arguments throws(Failure) in try fold(&arguments, start: .int(0), Arithmetic.add) }))
        machine.register(
            Builtin(
                "(* …numbers)", arity: 0...Int.max,
                documentation: Documentation("The product.", examples: ["(* 2 3 4) => 24"]),
                body: { arguments throws(Failure) in try fold(&arguments, start: .int(1), Arithmetic.multiply) }))
        machine.register(
            Builtin(
                "(- a …numbers)", arity: 1...Int.max,
                documentation: Documentation(
                    "a less all the others; the negative of a alone.", examples: ["(- 10 1 2) => 7", "(- 5) => -5"]),
                body: { arguments throws(Failure) in
                    if arguments.count == 1 { return try negate(&arguments) }
                    return try foldFirst(&arguments, Arithmetic.subtract)
                }))
        machine.register(
            Builtin(
                "(/ a …numbers)", arity: 1...Int.max,
                documentation: Documentation(
                    "a divided by the others, as a float; 1/a for a alone.", examples: ["(/ 7 2) => 3.5"]),
                body: { arguments throws(Failure) in
                    if arguments.count == 1 { return try Arithmetic.divide(.int(1), try arguments.number(0)) }
                    return try foldFirst(&arguments, Arithmetic.divide)
                }))
        machine.register(
            Builtin(
                "(// a b)", arity: 2...2,
                documentation: Documentation("The floor of a divided by b.", examples: ["(// -7 2) => -4"]),
                body: { arguments throws(Failure) in
                    try Arithmetic.floorDivide(try arguments.number(0), try arguments.number(1))
                }))
        machine.register(
            Builtin(
                "(mod a b)", arity: 2...2,
                documentation: Documentation(
                    "What the floor division of a by b leaves; it has the sign of b.", examples: ["(mod -7 2) => 1"]),
                body: { arguments throws(Failure) in
                    try Arithmetic.modulo(try arguments.number(0), try arguments.number(1))
                }))
    }

    private typealias Operation = (Value, Value) throws(Failure) -> Value

    private static func fold(
        _ arguments: inout Arguments, start: Value, _ operation: Operation
    ) throws(Failure) -> Value {
        guard arguments.count > 0 else { return start }
        var result = try arguments.number(0)
        for index in 1..<arguments.count { result = try operation(result, try arguments.number(index)) }
        return result
    }

    private static func foldFirst(_ arguments: inout Arguments, _ operation: Operation) throws(Failure) -> Value {
        var result = try arguments.number(0)
        for index in 1..<arguments.count { result = try operation(result, try arguments.number(index)) }
        return result
    }

    private static func negate(_ arguments: inout Arguments) throws(Failure) -> Value {
        let value = try arguments.number(0)
        if case .double(let double) = value { return .double(-double) }
        return try Arithmetic.subtract(.int(0), value)
    }

    private static func registerComparisons(in machine: Machine) {
        let comparisons: [Comparison] = [.less, .lessOrEqual, .greater, .greaterOrEqual, .equal]
        for comparison in comparisons {
            let text = comparison == .equal ? "are equal, deeply and by value" : "stand in this order"
            machine.register(
                Builtin(
                    "(\(comparison.name) a …others)", arity: 1...Int.max, lineage: .plain,
                    documentation: Documentation(
                        "Whether the arguments, each with the next, \(text).",
                        examples: ["(\(comparison.name) 1 1) => \(comparison.holds(1, 1))"]),
                    body: { [unowned machine] arguments throws(Failure) in
                        if comparison == .equal { try arguments.leave(to: "%equal") }
                        for index in 0..<(arguments.count - 1) {
                            guard try machine.compare(comparison, arguments[index], arguments[index + 1]) else {
                                return .bool(false)
                            }
                        }
                        return .bool(true)
                    }))
        }
    }
}
