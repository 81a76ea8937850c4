import Language

/// Calls that are not the plain call of a closure with the right number of arguments.
extension Machine {
    /// Calls the value under the `count` top ones.
    ///
    /// - Returns: Whether the fiber waits; its result is pushed when it is resumed.
    func call(_ fiber: Fiber, _ count: Int, mask: Int) throws(Failure) -> Bool {
        var count = count
        var literalKeywords = keywordMask(fiber, mask)
        while true {
            let place = fiber.base + (fiber.top - count - 1)
            let function = try callee(at: place, fiber)
            switch function.kind {
            case .closure:
                guard let next = try enter(fiber, unsafeDowncast(function, to: Closure.self), count) else {
                    return false
                }
                count = next
            case .builtin:
                let builtin = unsafeDowncast(function, to: Builtin.self)
                guard let instead = try callBuiltin(fiber, builtin, count, literalKeywords) else { return false }
                count = instead
                literalKeywords = 0
            case .control:
                let control = unsafeDowncast(function, to: ControlFunction.self)
                var arguments = Arguments(
                    base: place + 1, count: count, literalKeywords: literalKeywords, function: control)
                let step = try step(control, &arguments, fiber)
                fiber.drop(to: fiber.top - count - 1)
                guard case .call(let callee, let values) = step else { return try finish(fiber, step) }
                push(fiber, callee)
                for value in values { push(fiber, value) }
                count = values.count
                literalKeywords = 0
            }
        }
    }

    /// The function to call; one that is a MetaObject's data takes that one's place.
    private func callee(at place: UnsafeMutablePointer<Value>, _ fiber: Fiber) throws(Failure) -> Function {
        if case .function(let function) = place.pointee { return function }
        guard case .meta(let meta) = place.pointee, case .function(let function) = try meta.data() else {
            throw notCallable(place.pointee, fiber)
        }
        place.pointee = .function(function)
        return function
    }

    private func step(
        _ control: ControlFunction, _ arguments: inout Arguments, _ fiber: Fiber
    ) throws(Failure) -> Step {
        do throws(Failure) {
            return try control.call([], &arguments, in: fiber)
        } catch {
            if let want = arguments.want { return supply(want, arguments) }
            guard let fetching = prerequisite(error) else { throw error }
            return .call(
                globals.named("%after").value ?? .null, [.function(fetching), .function(Again(control, arguments))])
        }
    }

    private func keywordMask(_ fiber: Fiber, _ mask: Int) -> UInt64 {
        guard mask > 0, let frame = fiber.current else { return 0 }
        return frame.closure._withUnsafeGuaranteedRef { $0.code.masks[mask - 1] }
    }

    /// Puts the value of a step on the stack; true when the fiber waits for it.
    private func finish(_ fiber: Fiber, _ step: Step) throws(Failure) -> Bool {
        switch step {
        case .value(let value): push(fiber, value)
        case .suspend: return true
        case .call(let callee, let values):
            push(fiber, callee)
            for value in values { push(fiber, value) }
            return try call(fiber, values.count, mask: 0)
        }
        return false
    }

    func push(_ fiber: Fiber, _ value: Value) {
        fiber.reserve(1)
        (fiber.base + fiber.top).initialize(to: value)
        fiber.top += 1
    }

    private func pop(_ fiber: Fiber) -> Value {
        fiber.top -= 1
        return (fiber.base + fiber.top).move()
    }

    // MARK: Closures

    /// Makes the closure's frame the current one. A number: the call was turned into another one with so many arguments.
    private func enter(_ fiber: Fiber, _ closure: Closure, _ count: Int) throws(Failure) -> Int? {
        let code = closure.code
        if code.returnsCode, let caller = fiber.current, !caller.closure._withUnsafeGuaranteedRef({ $0.code.isMeta }) {
            return insertExpansion(fiber, closure, count)
        }
        let allowed = code.parameterCount...(code.hasRest ? Int.max : code.parameterCount)
        try Arity.check(count, allowed, of: closure)
        if code.hasRest { try collectRest(fiber, count - code.parameterCount) }
        guard let caller = fiber.current else { return nil }
        let isTail = caller.next.pointee.op == .return && caller.next[-1].op == .tailCall
        let total = code.parameterCount + (code.hasRest ? 1 : 0)
        if isTail {
            let start = fiber.base + (caller.locals - 1)
            let source = fiber.base + (fiber.top - total - 1)
            start.deinitialize(count: source - start)
            start.moveInitialize(from: source, count: total + 1)
            fiber.top = caller.locals + total
        } else {
            guard fiber.frames.count < Fiber.frameLimit else { throw Self.tooDeep }
            fiber.frames.push(caller)
        }
        fiber.current = Fiber.Frame(
            closure: .passUnretained(closure), next: code.instructions, locals: fiber.top - total)
        fiber.reserve(code.frameSize)
        return nil
    }

    private func collectRest(_ fiber: Fiber, _ count: Int) throws(Failure) {
        let start = fiber.base + (fiber.top - count)
        let rest = Items(Array(UnsafeBufferPointer(start: start, count: count)))
        try Nesting.check(rest.depth)
        fiber.drop(to: fiber.top - count)
        push(fiber, .vector(rest))
    }

    /// A meta-level function that returns code was called from outside: what it returns is evaluated, with what the
    /// caller passed as data in it.
    private func insertExpansion(_ fiber: Fiber, _ closure: Closure, _ count: Int) -> Int? {
        let start = fiber.base + (fiber.top - count)
        let arguments = UnsafeBufferPointer(start: start, count: count).map(DataMark.mark)
        fiber.drop(to: fiber.top - count - 1)
        guard let expansion = globals.named("%evaluate-result").value else { return nil }
        push(fiber, expansion)
        push(fiber, .function(closure))
        push(fiber, .vector(Items(arguments)))
        return 2
    }

    // MARK: Builtins

    /// A number: the call was turned into another one with so many arguments.
    private func callBuiltin(
        _ fiber: Fiber, _ builtin: Builtin, _ count: Int, _ literalKeywords: UInt64
    ) throws(Failure) -> Int? {
        try Arity.check(count, builtin.arity, of: builtin)
        var arguments = Arguments(
            base: fiber.base + (fiber.top - count), count: count, literalKeywords: literalKeywords, function: builtin)
        var result: Value
        do throws(Failure) {
            result = try builtin.body(&arguments)
        } catch {
            guard let want = arguments.want, case .call(let callee, let values) = supply(want, arguments) else {
                throw error
            }
            fiber.drop(to: fiber.top - count - 1)
            push(fiber, callee)
            for value in values { push(fiber, value) }
            return values.count
        }
        try Nesting.check(result.depth)
        try Limit.check(result)
        if builtin.lineage == .computes, !arguments.parents.isEmpty {
            result = derive(result, by: builtin.name, from: arguments.parents)
        }
        fiber.drop(to: fiber.top - count - 1)
        push(fiber, result)
        return nil
    }

    private func notCallable(_ value: Value, _ fiber: Fiber) -> Failure {
        let shown = Describe.short(value)
        if let help = bodyHint(fiber) { return Failure("eval/not-callable", "\(shown) is not a function", help: help) }
        let help: String? =
            switch value {
            case .null: "a list evaluates its head, which must be a function; '(…) quotes a list, [ … ] is a vector"
            case .int, .double: "a list evaluates its head; [\(shown) …] is a vector, '(\(shown) …) a quoted list"
            case .string: "only a string written at the head joins text; use (str a b)"
            case .object, .vector: "(get x key) reads a member"
            default: nil
            }
        return Failure("eval/not-callable", "\(shown) is not a function", help: help)
    }

    // MARK: Members

    /// `get` on the two top values. True when the fiber waits.
    func member(_ fiber: Fiber) throws(Failure) -> Bool {
        let owner = (fiber.base + (fiber.top - 2)).pointee
        let key = (fiber.base + (fiber.top - 1)).pointee
        let step = try members(of: owner, [key], in: fiber)
        fiber.drop(to: fiber.top - 2)
        return try finish(fiber, step)
    }

    /// What `get` gives: members of data as far as data goes, then what a runtime or a remote object has.
    func members(of owner: Value, _ keys: ArraySlice<Value>, in fiber: Fiber) throws(Failure) -> Step {
        var (value, keys) = (owner, keys)
        while let key = keys.first {
            if let root = try Self.control(value) {
                guard let object = root as? RemoteObject else {
                    return try root.fetch(keys.compactMap(Collections.keyText), in: fiber)
                }
                let item = RemoteObject.Question.item(key)
                guard keys.count > 1 else { return try object.ask(item, in: fiber) }
                return .call(globals.named("%get-each").value ?? .null, [value, .vector(Items(Array(keys)))])
            }
            value = try member(value, key)
            keys = keys.dropFirst()
        }
        return .value(value)
    }

    /// The member of data; of a MetaObject's data with its source.
    public func member(_ owner: Value, _ key: Value) throws(Failure) -> Value {
        let key = try key.unwrapped()
        guard case .meta(let meta) = owner else { return try Collections.member(owner, key) }
        let data = try meta.data()
        if let field = wrapperField(key, of: meta, data) { return field }
        let part = try Collections.member(data, key)
        if case .null = part { return part }
        return select(part, of: meta, path: Self.step(key))
    }

    /// The wrapper's own field, where the data has none of that name.
    private func wrapperField(_ key: Value, of meta: MetaObject, _ data: Value) -> Value? {
        guard let name = key.nameText else { return nil }
        if case .object(let object) = data, object[name] != nil { return nil }
        switch name {
        case "_type": return .text("MetaObject")
        case "source": return .text(meta.source)
        case "data": return data
        default: return nil
        }
    }

    private static func step(_ key: Value) -> String {
        key.nameText.map { "." + $0 } ?? "[\(Describe.short(key))]"
    }

    private static func control(_ value: Value) throws(Failure) -> ControlFunction? {
        guard case .function(let function) = try value.unwrapped(), function.kind == .control else { return nil }
        return unsafeDowncast(function, to: ControlFunction.self)
    }

    /// Replaces the top value by the member behind the names. True when the fiber waits.
    func path(_ fiber: Fiber, _ names: Value) throws(Failure) -> Bool {
        let (value, rest) = try walk((fiber.base + (fiber.top - 1)).pointee, names)
        let step: Step
        if let rest, let control = try Self.control(value) {
            step = try control.fetch(rest, in: fiber)
        } else {
            step = .value(value)
        }
        fiber.drop(to: fiber.top - 1)
        return try finish(fiber, step)
    }

    /// As `path`, but what lies behind a runtime's root is bound to be called.
    func callee(_ fiber: Fiber, _ names: Value) throws(Failure) {
        var (value, rest) = try walk((fiber.base + (fiber.top - 1)).pointee, names)
        if let rest, let control = try Self.control(value) {
            value = .function(BoundPath(root: control, path: rest))
        }
        (fiber.base + (fiber.top - 1)).pointee = value
    }

    /// The member behind the names as far as data goes; the names that are left are of a runtime or a remote object.
    private func walk(_ root: Value, _ names: Value) throws(Failure) -> (Value, rest: [String]?) {
        var value = root
        for (index, name) in (Collections.items(names) ?? []).enumerated() {
            if try Self.control(value) != nil { return (value, Array(Self.names(names).dropFirst(index))) }
            value = try member(value, name)
        }
        return (value, nil)
    }

    private static func names(_ value: Value) -> [String] {
        (Collections.items(value) ?? []).compactMap(\.nameText)
    }

    func object(keys: Value, top: UnsafeMutablePointer<Value>) throws(Failure) -> (Value, count: Int) {
        let names = Self.names(keys)
        var entries = Object.Entries(minimumCapacity: names.count)
        for (index, name) in names.enumerated() { entries[Key(name)] = top[index - names.count] }
        let object = Object(entries)
        try Nesting.check(object.depth)
        return (recognized(object), names.count)
    }

    // MARK: Assignment along keys

    /// Changes a variable along the keys; the value stays as the result. True when the fiber waits.
    func put(_ fiber: Fiber, _ instruction: Instruction) throws(Failure) -> Bool {
        let count = Int(instruction.c)
        let start = fiber.base + (fiber.top - count - 1)
        let keys = Array(UnsafeBufferPointer(start: start, count: count))
        let value = (fiber.base + (fiber.top - 1)).pointee
        let place = try modify(fiber, instruction) { $0.pointee }
        if let step = try assigning(value, in: place, keys[...], fiber) {
            fiber.drop(to: fiber.top - count - 1)
            return try finish(fiber, step)
        }
        try modify(fiber, instruction) { place throws(Failure) in try Members.put(place, keys[...], value) }
        fiber.drop(to: fiber.top - count - 1)
        push(fiber, value)
        return false
    }

    /// As `assign`; what the value lacks is asked for first.
    private func assigning(
        _ value: Value, in place: Value, _ keys: ArraySlice<Value>, _ fiber: Fiber
    ) throws(Failure) -> Step? {
        do throws(Failure) {
            return try assign(value, in: place, keys, fiber)
        } catch {
            guard let fetching = prerequisite(error) else { throw error }
            let again = Control("(set place value)", arity: 0...0) { [unowned self] _, fiber throws(Failure) in
                try assign(value, in: place, keys, fiber) ?? .value(value)
            }
            return .call(globals.named("%after").value ?? .null, [.function(fetching), .function(again)])
        }
    }

    /// What sets the member behind the keys where that is a runtime's or a remote object's.
    private func assign(
        _ value: Value, in place: Value, _ keys: ArraySlice<Value>, _ fiber: Fiber
    ) throws(Failure) -> Step? {
        var (owner, keys) = (place, keys)
        while let key = keys.first {
            if let root = try Self.control(owner) { return try assign(value, to: root, Array(keys), fiber) }
            guard keys.count > 1 else { return nil }
            let data = try owner.unwrapped()
            switch data {
            case .object, .vector, .list: owner = try Collections.member(data, try key.unwrapped())
            default: return nil
            }
            keys = keys.dropFirst()
        }
        return nil
    }

    /// Names that are part of the place's own name are attributes; a last key that was given to `get` is an item's.
    private func assign(
        _ value: Value, to root: ControlFunction, _ keys: [Value], _ fiber: Fiber
    ) throws(Failure) -> Step {
        let names = keys.compactMap(Collections.keyText)
        guard let object = root as? RemoteObject, let last = keys.last else {
            return try root.assign(names, value, in: fiber)
        }
        let attributes = keys.prefix { if case .symbol(let symbol) = $0 { !symbol.isData } else { false } }
        if attributes.count == keys.count { return try object.assign(names, value, in: fiber) }
        guard attributes.count == keys.count - 1 else {
            throw Failure(
                "eval/place", "only one item of a handle can be set at a time",
                help: "(let (part (get h 0)) (set (get part 1) value))")
        }
        let path = attributes.compactMap(Collections.keyText)
        return try object.ask(.setItem(path: path, key: last, value), in: fiber)
    }

    /// Gives the body the place that a `put` instruction names.
    private func modify<T>(
        _ fiber: Fiber, _ instruction: Instruction, _ body: (UnsafeMutablePointer<Value>) throws(Failure) -> T
    ) throws(Failure) -> T {
        guard let frame = fiber.current else { throw Failure("eval/place", "nothing runs") }
        let index = Int(instruction.b)
        let slot: UnsafeMutablePointer<Value>
        switch instruction.a {
        case 0, 1: slot = fiber.base + (frame.locals + index)
        case 2: slot = frame.closure._withUnsafeGuaranteedRef { $0.captures + index }
        default:
            slot = frame.closure._withUnsafeGuaranteedRef { $0.code.slots[index] }
            if case .cell = slot.pointee {
                throw unbound(frame.closure._withUnsafeGuaranteedRef { $0.code.globals[index] }, fiber)
            }
        }
        guard case .cell(let cell) = slot.pointee else { return try body(slot) }
        return try body(&cell.value)
    }
}
