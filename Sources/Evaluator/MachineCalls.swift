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
            guard case .function(let function) = place.pointee else { throw notCallable(place.pointee, fiber) }
            switch function.kind {
            case .closure:
                guard let next = try enter(fiber, unsafeDowncast(function, to: Closure.self), count) else {
                    return false
                }
                count = next
            case .builtin:
                try callBuiltin(fiber, unsafeDowncast(function, to: Builtin.self), count, literalKeywords)
                return false
            case .control:
                let control = unsafeDowncast(function, to: ControlFunction.self)
                var arguments = Arguments(
                    base: place + 1, count: count, literalKeywords: literalKeywords, function: control)
                let step = try control.call([], &arguments, in: fiber)
                fiber.drop(to: fiber.top - count - 1)
                guard case .call(let callee, let values) = step else { return finish(fiber, step) }
                push(fiber, callee)
                for value in values { push(fiber, value) }
                count = values.count
                literalKeywords = 0
            }
        }
    }

    private func keywordMask(_ fiber: Fiber, _ mask: Int) -> UInt64 {
        guard mask > 0, let frame = fiber.current else { return 0 }
        return frame.closure._withUnsafeGuaranteedRef { $0.code.masks[mask - 1] }
    }

    /// Puts the value of a step on the stack; true when the fiber waits for it.
    private func finish(_ fiber: Fiber, _ step: Step) -> Bool {
        switch step {
        case .value(let value): push(fiber, value)
        case .suspend: return true
        case .call: break
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

    private func callBuiltin(
        _ fiber: Fiber, _ builtin: Builtin, _ count: Int, _ literalKeywords: UInt64
    ) throws(Failure) {
        try Arity.check(count, builtin.arity, of: builtin)
        var arguments = Arguments(
            base: fiber.base + (fiber.top - count), count: count, literalKeywords: literalKeywords, function: builtin)
        var result = try builtin.body(&arguments)
        try Nesting.check(result.depth)
        try Limit.check(result)
        if builtin.lineage == .computes, !arguments.parents.isEmpty {
            result = derive(result, by: builtin.name, from: arguments.parents)
        }
        fiber.drop(to: fiber.top - count - 1)
        push(fiber, result)
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
        if let root = Self.control(owner), let name = Collections.keyText(key) {
            let step = try root.fetch([name], in: fiber)
            fiber.drop(to: fiber.top - 2)
            return finish(fiber, step)
        }
        let value = try member(owner, key)
        fiber.drop(to: fiber.top - 2)
        push(fiber, value)
        return false
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

    private static func control(_ value: Value) -> ControlFunction? {
        guard case .function(let function) = value, function.kind == .control else { return nil }
        return unsafeDowncast(function, to: ControlFunction.self)
    }

    /// Replaces the top value by the member behind the names. True when the fiber waits.
    func path(_ fiber: Fiber, _ names: Value) throws(Failure) -> Bool {
        let root = (fiber.base + (fiber.top - 1)).pointee
        if let control = Self.control(root) {
            let step = try control.fetch(Self.names(names), in: fiber)
            fiber.drop(to: fiber.top - 1)
            return finish(fiber, step)
        }
        let value = try path(root, names)
        fiber.drop(to: fiber.top - 1)
        push(fiber, value)
        return false
    }

    /// As `path`, but what lies behind a runtime's root is bound to be called.
    func callee(_ fiber: Fiber, _ names: Value) throws(Failure) {
        let root = (fiber.base + (fiber.top - 1)).pointee
        let value: Value
        if let control = Self.control(root) {
            value = .function(BoundPath(root: control, path: Self.names(names)))
        } else {
            value = try path(root, names)
        }
        (fiber.base + (fiber.top - 1)).pointee = value
    }

    private func path(_ root: Value, _ names: Value) throws(Failure) -> Value {
        var value = root
        for name in Collections.items(names) ?? [] { value = try member(value, name) }
        return value
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
        if let control = Self.control(try modify(fiber, instruction) { $0.pointee }) {
            let step = try control.assign(keys.compactMap(Collections.keyText), value, in: fiber)
            fiber.drop(to: fiber.top - count - 1)
            return finish(fiber, step)
        }
        try modify(fiber, instruction) { place throws(Failure) in try Members.put(place, keys[...], value) }
        fiber.drop(to: fiber.top - count - 1)
        push(fiber, value)
        return false
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
