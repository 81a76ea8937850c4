import Language

extension Library {
    /// Functions that call functions or evaluate code.
    static func registerControl(in machine: Machine) {
        machine.register(
            Control(
                "(apply f …items)", arity: 2...Int.max,
                documentation: Documentation(
                    "Calls f with the items of the last argument, after the arguments before it.",
                    examples: ["(apply + [1 2 3]) => 6", "(apply max 1 [5 2]) => 5"])
            ) { arguments, _ throws(Failure) in
                let last = arguments.count - 1
                let items = try arguments.sequence(last)
                return .call(arguments[0], Array(arguments.from(1).dropLast()) + items)
            })
        machine.register(
            Control(
                "(eval form)", arity: 1...1,
                documentation: Documentation(
                    "Evaluates a form at the top level.", examples: ["(eval '(+ 1 2)) => 3"])
            ) { [unowned machine] arguments, _ throws(Failure) in
                .call(try machine.compiled(arguments[0]), [])
            })
        machine.register(
            Control(
                "(macroexpand form)", arity: 1...1,
                documentation: Documentation(
                    "The form after its macro, and the macros that stand at the head of the result, were expanded.",
                    examples: ["(macroexpand '(+ 1 2)) => '(+ 1 2)"])
            ) { [unowned machine] arguments, _ throws(Failure) in
                .value(try machine.expanded(try arguments.data(0)))
            })
        registerMethods(in: machine)
    }

    private static func registerMethods(in machine: Machine) {
        let method = Control("(%method name owner …arguments)", arity: 2...Int.max) {
            [unowned machine] arguments, fiber throws(Failure) in
            let name = try arguments.string(0)
            if case .function(let function) = try arguments[1].unwrapped(), let root = function as? ControlFunction {
                return .call(.function(BoundPath(root: root, path: [name])), arguments.from(2))
            }
            let member = try machine.member(arguments[1], arguments[0])
            guard case .function = try member.unwrapped() else {
                throw Failure("eval/no-member", "\(Describe.short(arguments[1])) has no method \(name)")
            }
            return .call(member, arguments.from(2))
        }
        machine.register(method)
    }
}

extension Machine {
    fileprivate func compiled(_ form: Value) throws(Failure) -> Value {
        let data: Value
        if case .meta(let meta) = form { data = try meta.data() } else { data = form }
        do throws(Raised) {
            return try closure(data, site: nil, isMeta: false)
        } catch {
            throw thrown(.error(take(error)))
        }
    }

    fileprivate func expanded(_ form: Value) throws(Failure) -> Value {
        var form = form
        do throws(Raised) {
            for _ in 0..<Nesting.limit {
                let next = try expandOnce(form)
                if case .list(let a) = next, case .list(let b) = form, a === b { return next }
                guard case .list = next else { return next }
                form = next
            }
        } catch {
            throw thrown(.error(take(error)))
        }
        throw Failure("eval/depth", "the macro never ends expanding")
    }
}
