import Language

extension Machine {
    /// Instructions that jump back or call, between two looks at what else there is to do.
    private static let slice = 200_000

    /// Runs the fiber until it ends, waits or has used its time slice.
    public func run(_ fiber: Fiber) -> Outcome {
        if fiber.isInterrupted { return interrupt(fiber) }
        if fiber.current == nil, let outcome = begin(fiber) { return outcome }
        // Every start of the loop has a whole time slice: a program that only fails and catches must yield too.
        for _ in 0..<Self.failuresPerSlice {
            do throws(Failure) {
                return try execute(fiber)
            } catch {
                if let outcome = unwind(fiber, error) { return outcome }
            }
        }
        return .yielded
    }

    private static let failuresPerSlice = 64

    /// Goes on with a fiber that waited: with a value, or with an error where it waited.
    public func resume(_ fiber: Fiber, _ result: Result<Value, Raised>) -> Outcome {
        switch result {
        case .success(let value) where fiber.isAsking:
            fiber.isAsking = false
            fiber.answer = value
        case .success(let value):
            fiber.reserve(1)
            (fiber.base + fiber.top).initialize(to: value)
            fiber.top += 1
            guard fiber.current != nil else { return .finished(value) }
        case .failure(let marker):
            fiber.isAsking = false
            if let outcome = unwind(fiber, take(marker)) { return outcome }
        }
        return run(fiber)
    }

    private func interrupt(_ fiber: Fiber) -> Outcome {
        fiber.isInterrupted = false
        fiber.isAsking = false
        fiber.answer = nil
        guard fiber.current != nil else { return .failed(Diagnostic(Self.interruption)) }
        if let outcome = unwind(fiber, Self.interruption) { return outcome }
        return run(fiber)
    }

    static let interruption = Failure("eval/interrupted", "interrupted")

    /// Puts the fiber's first call under way; an outcome when that call was all there is.
    private func begin(_ fiber: Fiber) -> Outcome? {
        let bootstrap = bootstrap(arguments: fiber.top - 1)
        fiber.reserve(bootstrap.code.frameSize + 1)
        (fiber.base + 1).moveInitialize(from: fiber.base, count: fiber.top)
        fiber.base.initialize(to: .function(bootstrap))
        fiber.top += 1
        fiber.current = Fiber.Frame(
            closure: .passUnretained(bootstrap), next: bootstrap.code.instructions, locals: 1)
        return nil
    }

    /// A function that calls what its caller put on the stack.
    private func bootstrap(arguments: Int) -> Closure {
        let lambda = Lambda(
            name: "", signature: "()", parameters: [], hasRest: false, scope: FunctionScope(parent: nil),
            body: .constant(.null), isMeta: false, returnsCode: false, site: nil, graveyard: graveyard)
        let call = Instruction(op: .call, c: Int32(arguments))
        let code = Code(
            lambda: lambda, frameSize: arguments + 4, captures: [], instructions: [call, Instruction(op: .return)],
            constants: [], codes: [], globals: [], masks: [], sites: [])
        return Closure(code: code, captures: [])
    }

    // The loop is one function so that the machine's registers are its locals; it is long as a table is.
    private func execute(_ fiber: Fiber) throws(Failure) -> Outcome {
        guard var frame = fiber.current else { return .finished(.null) }
        var ip = frame.next
        var base = fiber.base
        var limit = base + fiber.capacity
        var fp = base + frame.locals
        var sp = base + fiber.top
        let entry = frame.closure._withUnsafeGuaranteedRef { $0.entry }
        var constants = entry.constants
        var slots = entry.slots
        var captures = entry.captures
        var fuel = Self.slice

        func save() {
            frame.next = ip
            fiber.current = frame
            fiber.top = sp - fiber.base
        }
        func load() {
            guard let current = fiber.current else { return }
            frame = current
            ip = frame.next
            base = fiber.base
            limit = base + fiber.capacity
            fp = base + frame.locals
            sp = base + fiber.top
            let entry = frame.closure._withUnsafeGuaranteedRef { $0.entry }
            constants = entry.constants
            slots = entry.slots
            captures = entry.captures
        }
        func global(_ index: Int32) -> Global {
            frame.closure._withUnsafeGuaranteedRef { $0.code.globals[Int(index)] }
        }

        while true {
            let instruction = ip.pointee
            ip += 1
            switch instruction.op {
            case .constant:
                sp.initialize(to: constants[Int(instruction.c)])
                sp += 1
            case .null:
                sp.initialize(to: .null)
                sp += 1
            case .bool:
                sp.initialize(to: .bool(instruction.c != 0))
                sp += 1
            case .integer:
                sp.initialize(to: .int(Int(instruction.c)))
                sp += 1
            case .local:
                sp.initialize(to: fp[Int(instruction.c)])
                sp += 1
            case .localCell:
                sp.initialize(to: Self.read(fp[Int(instruction.c)]))
                sp += 1
            case .captured:
                sp.initialize(to: captures[Int(instruction.c)])
                sp += 1
            case .capturedCell:
                sp.initialize(to: Self.read(captures[Int(instruction.c)]))
                sp += 1
            case .storeLocal:
                sp -= 1
                fp[Int(instruction.c)] = sp.move()
            case .storeLocalCell:
                sp -= 1
                if case .cell(let cell) = fp[Int(instruction.c)] { cell.value = sp.move() }
            case .storeCapturedCell:
                sp -= 1
                if case .cell(let cell) = captures[Int(instruction.c)] { cell.value = sp.move() }
            case .makeCell:
                let place = fp + Int(instruction.c)
                place.initialize(to: .cell(Cell(place.move())))
            case .global:
                let slot = slots[Int(instruction.c)]
                if case .cell = slot.pointee {
                    save()
                    throw unbound(global(instruction.c), fiber)
                }
                sp.initialize(to: slot.pointee)
                sp += 1
            case .storeGlobal:
                let slot = slots[Int(instruction.c)]
                if instruction.b == 0, case .cell = slot.pointee {
                    save()
                    throw unbound(global(instruction.c), fiber)
                }
                sp -= 1
                global(instruction.c).bind(sp.move())
            case .pop:
                sp -= 1
                sp.deinitialize(count: 1)
            case .duplicate:
                sp.initialize(to: sp[-1])
                sp += 1
            case .slide:
                let count = Int(instruction.c)
                let value = (sp - 1).move()
                sp -= count + 1
                sp.deinitialize(count: count)
                sp.initialize(to: value)
                sp += 1
            case .jump:
                ip += Int(instruction.c) - 1
                if instruction.c <= 0 {
                    fuel -= 1
                    if fuel == 0 {
                        save()
                        return .yielded
                    }
                }
            case .jumpIfFalse:
                sp -= 1
                if case .bool(let flag) = sp.pointee {
                    if !flag { ip += Int(instruction.c) - 1 }
                } else {
                    let value = sp.move()
                    save()
                    if try !value.isTrue { ip += Int(instruction.c) - 1 }
                }
            case .jumpIfTrue:
                sp -= 1
                let value = sp.move()
                save()
                if try value.isTrue { ip += Int(instruction.c) - 1 }
            case .jumpIfFalseKeep, .jumpIfTrueKeep:
                save()
                if try sp[-1].isTrue == (instruction.op == .jumpIfTrueKeep) {
                    ip += Int(instruction.c) - 1
                } else {
                    sp -= 1
                    sp.deinitialize(count: 1)
                }
            case .add:
                if case .int(let a) = sp[-2], case .int(let b) = sp[-1] {
                    let (sum, overflow) = a.addingReportingOverflow(b)
                    if !overflow {
                        sp -= 1
                        (sp - 1).initialize(to: .int(sum))
                        continue
                    }
                } else if case .double(let a) = sp[-2], case .double(let b) = sp[-1] {
                    sp -= 1
                    (sp - 1).initialize(to: .double(a + b))
                    continue
                }
                save()
                guard let top = try binary(.add, sp, fiber) else { return wait(fiber, again: ip - 1) }
                sp = top
            case .subtract:
                if case .int(let a) = sp[-2], case .int(let b) = sp[-1] {
                    let (difference, overflow) = a.subtractingReportingOverflow(b)
                    if !overflow {
                        sp -= 1
                        (sp - 1).initialize(to: .int(difference))
                        continue
                    }
                } else if case .double(let a) = sp[-2], case .double(let b) = sp[-1] {
                    sp -= 1
                    (sp - 1).initialize(to: .double(a - b))
                    continue
                }
                save()
                guard let top = try binary(.subtract, sp, fiber) else { return wait(fiber, again: ip - 1) }
                sp = top
            case .multiply:
                if case .int(let a) = sp[-2], case .int(let b) = sp[-1] {
                    let (product, overflow) = a.multipliedReportingOverflow(by: b)
                    if !overflow {
                        sp -= 1
                        (sp - 1).initialize(to: .int(product))
                        continue
                    }
                } else if case .double(let a) = sp[-2], case .double(let b) = sp[-1] {
                    sp -= 1
                    (sp - 1).initialize(to: .double(a * b))
                    continue
                }
                save()
                guard let top = try binary(.multiply, sp, fiber) else { return wait(fiber, again: ip - 1) }
                sp = top
            case .less, .lessOrEqual, .greater, .greaterOrEqual, .equal:
                save()
                let kind = Comparison(rawValue: instruction.op.rawValue - Opcode.less.rawValue) ?? .equal
                guard let holds = try holds(kind, sp[-2], sp[-1], fiber) else { return wait(fiber, again: ip - 1) }
                sp -= 2
                sp.deinitialize(count: 2)
                sp.initialize(to: .bool(holds))
                sp += 1
            case .not:
                save()
                let isTrue = try sp[-1].isTrue
                sp[-1] = .bool(!isTrue)
            case .addInteger:
                if case .int(let a) = sp[-1] {
                    let (sum, overflow) = a.addingReportingOverflow(Int(instruction.c))
                    if !overflow {
                        (sp - 1).initialize(to: .int(sum))
                        continue
                    }
                }
                save()
                guard let sum = try add(sp[-1], Int(instruction.c), fiber) else { return wait(fiber, again: ip - 1) }
                sp[-1] = sum
            case .addLocalInteger:
                if case .int(let a) = fp[Int(instruction.b)] {
                    let (sum, overflow) = a.addingReportingOverflow(Int(instruction.c))
                    if !overflow {
                        sp.initialize(to: .int(sum))
                        sp += 1
                        continue
                    }
                }
                save()
                guard let sum = try add(fp[Int(instruction.b)], Int(instruction.c), fiber) else {
                    return wait(fiber, again: ip - 1)
                }
                sp.initialize(to: sum)
                sp += 1
            case .incrementLocal:
                if case .int(let a) = fp[Int(instruction.b)] {
                    let (sum, overflow) = a.addingReportingOverflow(Int(instruction.c))
                    if !overflow {
                        (fp + Int(instruction.b)).initialize(to: .int(sum))
                        continue
                    }
                }
                save()
                guard let sum = try add(fp[Int(instruction.b)], Int(instruction.c), fiber) else {
                    return wait(fiber, again: ip - 1)
                }
                fp[Int(instruction.b)] = sum
            case .jumpUnless:
                let kind = Comparison(rawValue: instruction.a) ?? .equal
                if case .int(let a) = sp[-2], case .int(let b) = sp[-1] {
                    sp -= 2
                    if !kind.holds(a, b) { ip += Int(instruction.c) - 1 }
                } else {
                    save()
                    guard let holds = try holds(kind, sp[-2], sp[-1], fiber) else { return wait(fiber, again: ip - 1) }
                    sp -= 2
                    sp.deinitialize(count: 2)
                    if !holds { ip += Int(instruction.c) - 1 }
                }
            case .jumpUnlessLocalInteger:
                let kind = Comparison(rawValue: instruction.a) ?? .equal
                let number = Int(ip.pointee.c)
                ip += 1
                let holds: Bool
                if case .int(let a) = fp[Int(instruction.b)] {
                    holds = kind.holds(a, number)
                } else {
                    save()
                    guard let answer = try self.holds(kind, fp[Int(instruction.b)], .int(number), fiber) else {
                        return wait(fiber, again: ip - 2)
                    }
                    holds = answer
                }
                if !holds { ip += Int(instruction.c) - 2 }
            case .jumpUnlessLocals:
                let kind = Comparison(rawValue: instruction.a) ?? .equal
                let other = Int(ip.pointee.c)
                ip += 1
                let holds: Bool
                if case .int(let a) = fp[Int(instruction.b)], case .int(let b) = fp[other] {
                    holds = kind.holds(a, b)
                } else {
                    save()
                    guard let answer = try self.holds(kind, fp[Int(instruction.b)], fp[other], fiber) else {
                        return wait(fiber, again: ip - 2)
                    }
                    holds = answer
                }
                if !holds { ip += Int(instruction.c) - 2 }
            case .get:
                if case .vector(let items) = sp[-2], case .int(let index) = sp[-1], index >= 0,
                    index < items.elements.count
                {
                    let item = items.elements[index]
                    sp -= 1
                    sp[-1] = item
                    continue
                }
                save()
                if try member(fiber) { return .suspended }
                load()
            case .spread:
                sp -= 1
                if (sp - 1).isFunctionOrMeta {
                    let limit = sp.pointee
                    save()
                    if try spread(fiber, limit) { return .suspended }
                    load()
                }
            case .path:
                save()
                if try path(fiber, constants[Int(instruction.c)]) { return .suspended }
                load()
            case .callee:
                save()
                try callee(fiber, constants[Int(instruction.c)])
                load()
            case .exactGlobal:
                let slot = slots[Int(instruction.b)]
                if case .cell = slot.pointee { continue }
                sp.initialize(to: slot.pointee)
                sp += 1
                ip += Int(instruction.c) - 1
            case .put:
                save()
                if try put(fiber, instruction) { return .suspended }
                load()
            case .vector, .list:
                let count = Int(instruction.c)
                let items = Items(Array(UnsafeBufferPointer(start: sp - count, count: count)))
                save()
                try Nesting.check(items.depth)
                sp -= count
                sp.deinitialize(count: count)
                sp.initialize(to: instruction.op == .vector ? .vector(items) : count == 0 ? .null : .list(items))
                sp += 1
            case .object:
                save()
                let (object, count) = try object(keys: constants[Int(instruction.c)], top: sp)
                sp -= count
                sp.deinitialize(count: count)
                sp.initialize(to: object)
                sp += 1
            case .closure:
                let inner = frame.closure._withUnsafeGuaranteedRef { $0.code.codes[Int(instruction.c)] }
                sp.initialize(to: .function(Self.closure(inner, locals: fp, captures: captures)))
                sp += 1
            case .call, .tailCall:
                fuel -= 1
                if fuel == 0 {
                    ip -= 1
                    save()
                    return .yielded
                }
                let count = Int(instruction.c)
                let calleePlace = sp - 1 - count
                if calleePlace.isFunction,
                    calleePlace.unretainedFunction._withUnsafeGuaranteedRef({ $0.kind }) == .closure
                {
                    let closure = Unmanaged<Closure>.fromOpaque(calleePlace.unretainedFunction.toOpaque())
                    let target = closure._withUnsafeGuaranteedRef { $0.entry }
                    if target.parameterCount == count {
                        if instruction.op == .tailCall {
                            // The frame's place is taken by the callee and its arguments.
                            let start = fp - 1
                            let moved = count + 1
                            start.end(upTo: sp - moved)
                            start.moveInitialize(from: sp - moved, count: moved)
                            sp = start + moved
                        } else {
                            frame.next = ip
                            if fiber.frames.count >= Fiber.frameLimit {
                                save()
                                throw Self.tooDeep
                            }
                            fiber.frames.push(frame)
                            fp = sp - count
                        }
                        ip = target.instructions
                        frame = Fiber.Frame(closure: closure, next: ip, locals: fp - base)
                        constants = target.constants
                        slots = target.slots
                        captures = target.captures
                        if sp + target.frameSize > limit {
                            save()
                            fiber.reserve(target.frameSize)
                            load()
                        }
                        continue
                    }
                }
                save()
                if try call(fiber, count, mask: Int(instruction.b)) { return .suspended }
                load()
            case .return:
                let value = (sp - 1).move()
                let start = fp - 1
                start.end(upTo: sp - 1)
                start.initialize(to: value)
                sp = start + 1
                guard let caller = fiber.frames.pop() else {
                    fiber.top = sp - fiber.base
                    fiber.current = nil
                    return .finished(sp[-1])
                }
                frame = caller
                ip = frame.next
                fp = base + frame.locals
                let target = frame.closure._withUnsafeGuaranteedRef { $0.entry }
                constants = target.constants
                slots = target.slots
                captures = target.captures
            case .pushHandler:
                let target = ip + Int(instruction.c) - 1
                fiber.handlers.append(
                    Fiber.Handler(
                        frameCount: fiber.frames.count, top: sp - fiber.base, target: target,
                        isCleanup: instruction.a == 1))
            case .popHandler:
                fiber.handlers.removeLast()
            case .raise:
                sp -= 1
                let value = sp.move()
                save()
                throw thrown(value)
            }
        }
    }

    /// The instruction runs again when the fiber is resumed.
    private func wait(_ fiber: Fiber, again instruction: UnsafeMutablePointer<Instruction>) -> Outcome {
        fiber.current?.next = instruction
        return .suspended
    }

    private static func read(_ value: Value) -> Value {
        if case .cell(let cell) = value { cell.value } else { value }
    }

    private static func closure(
        _ code: Code, locals: UnsafeMutablePointer<Value>, captures: UnsafeMutablePointer<Value>
    ) -> Closure {
        let values = code.captures.map { capture in
            switch capture {
            case .local(let slot): locals[slot]
            case .captured(let index): captures[index]
            }
        }
        return Closure(code: code, captures: values)
    }

    static let tooDeep = Failure(
        "eval/depth", "calls nest deeper than \(Fiber.frameLimit) levels",
        help: "a call in last position, or (loop …) with recur, does not nest")
}

extension Comparison {
    @inline(__always)
    func holds(_ a: Int, _ b: Int) -> Bool {
        switch self {
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        case .equal: a == b
        }
    }
}
