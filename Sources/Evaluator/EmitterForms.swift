import Language

/// Branches, bindings, calls, loops and handlers.
extension Emitter {
    // MARK: Branches

    func emitBranch(_ test: Node, _ then: Node, _ otherwise: Node, _ use: Use) {
        let toElse = emitTest(test)
        let before = height
        emit(then, use)
        if case .constant(.null) = otherwise, !use.isPushed { return land(toElse) }
        let toEnd = use.isReturned ? emit(.return) : emit(.jump)
        height = before
        land(toElse)
        emit(otherwise, use)
        if !use.isReturned { land(toEnd) }
    }

    /// A jump that is taken when the test is false. Its index, to be landed.
    func emitTest(_ test: Node) -> Int {
        if case .primitive(.not, let operands, _) = test {
            emit(operands[0], .pushed)
            height -= 1
            return emit(.jumpIfTrue)
        }
        guard case .primitive(let primitive, let operands, let site) = test, let comparison = Comparison(primitive)
        else {
            emit(test, .pushed)
            height -= 1
            return emit(.jumpIfFalse)
        }
        return emitComparison(comparison, operands, site)
    }

    func emitComparison(_ comparison: Comparison, _ operands: [Node], _ site: Location?) -> Int {
        let kind = Int(comparison.rawValue)
        if let left = plainLocal(operands[0]), let number = smallInteger(operands[1]) {
            mark(site)
            let index = emit(.jumpUnlessLocalInteger, a: kind, b: left.slot)
            emit(.jump, c: number)
            return index
        }
        if let left = plainLocal(operands[0]), let right = plainLocal(operands[1]) {
            mark(site)
            let index = emit(.jumpUnlessLocals, a: kind, b: left.slot)
            emit(.jump, c: right.slot)
            return index
        }
        emit(operands[0], .pushed)
        emit(operands[1], .pushed)
        mark(site)
        height -= 2
        return emit(.jumpUnless, a: kind)
    }

    func plainLocal(_ node: Node) -> Variable? {
        guard case .local(let variable) = node, variable.owner === lambda.scope, !variable.isCell,
            variable.slot <= Int(UInt16.max)
        else { return nil }
        return variable
    }

    func smallInteger(_ node: Node) -> Int? {
        guard case .constant(.int(let int)) = node, int.magnitude < 1 << 30 else { return nil }
        return int
    }

    /// The step when the node is the variable plus or minus a small integer.
    func increment(_ variable: Variable, _ value: Node) -> Int? {
        guard case .primitive(let primitive, let operands, _) = value, let local = plainLocal(operands[0]),
            local === variable
        else { return nil }
        return step(primitive, operands)
    }

    func step(_ primitive: Primitive, _ operands: [Node]) -> Int? {
        guard let number = operands.count == 2 ? smallInteger(operands[1]) : nil else { return nil }
        return primitive == .add ? number : primitive == .subtract && number != 0 ? -number : nil
    }

    func emitEither(_ nodes: [Node], _ isAnd: Bool, _ use: Use) {
        var jumps: [Int] = []
        for node in nodes.dropLast() {
            emit(node, .pushed)
            jumps.append(emit(isAnd ? .jumpIfFalseKeep : .jumpIfTrueKeep))
            height -= 1
        }
        emit(nodes[nodes.count - 1], Use(isPushed: true, isReturned: use.isReturned, endsTurn: use.endsTurn))
        for jump in jumps { land(jump) }
        drop(unless: use)
    }

    // MARK: Bindings and functions

    func emitBind(_ variable: Variable, _ value: Node, _ body: Node, _ use: Use) {
        emit(value, .pushed)
        variable.slot = height - 1
        if variable.isCell { emit(.makeCell, c: variable.slot) }
        emit(body, use)
        unbind(1, use)
    }

    func unbind(_ count: Int, _ use: Use) {
        defer { height -= count }
        if use.isReturned || count == 0 { return }
        if use.isPushed {
            emit(.slide, c: count)
        } else {
            for _ in 0..<count { emit(.pop) }
        }
    }

    func emitFunction(_ inner: Lambda, _ use: Use) {
        guard use.isPushed else { return }
        codes.append(Emitter(inner, outer: self).finish())
        emit(.closure, c: codes.count - 1)
        push()
    }

    func emitSequence(_ op: Opcode, _ nodes: [Node], _ use: Use) {
        for node in nodes { emit(node, .pushed) }
        emit(op, c: nodes.count)
        height -= nodes.count
        pushed(use)
    }

    func emitCall(_ callee: Node, _ arguments: [Node], _ keywords: UInt64, _ site: Location?, _ use: Use) {
        emit(callee, .pushed)
        for argument in arguments { emit(argument, .pushed) }
        var mask = 0
        if keywords != 0 {
            masks.append(keywords)
            mask = masks.count
        }
        mark(site)
        emit(use.isReturned ? .tailCall : .call, b: mask, c: arguments.count)
        height -= arguments.count
        drop(unless: use)
    }

    func emitPrimitive(_ primitive: Primitive, _ operands: [Node], _ site: Location?, _ use: Use) {
        if let local = plainLocal(operands[0]), let step = step(primitive, operands) {
            mark(site)
            emit(.addLocalInteger, b: local.slot, c: step)
            return pushed(use)
        }
        emit(operands[0], .pushed)
        if let step = step(primitive, operands) {
            mark(site)
            emit(.addInteger, c: step)
            return drop(unless: use)
        }
        if operands.count == 2 { emit(operands[1], .pushed) }
        mark(site)
        emit(Opcode(primitive))
        if operands.count == 2 { height -= 1 }
        drop(unless: use)
    }

    // MARK: Loops

    func emitLoop(_ variables: [Variable], _ values: [Node], _ body: Node, _ label: LoopLabel, _ use: Use) {
        for (variable, value) in zip(variables, values) {
            emit(value, .pushed)
            variable.slot = height - 1
        }
        label.start = instructions.count
        label.depth = height
        for variable in variables where variable.isCell { emit(.makeCell, c: variable.slot) }
        emit(body, Use(isPushed: use.isPushed, isReturned: use.isReturned, endsTurn: true))
        unbind(variables.count, use)
    }

    func emitRecur(_ values: [Node], _ label: LoopLabel, _ site: Location?, _ use: Use) {
        guard use.endsTurn else {
            let message = "recur must be the last thing a turn of the loop does"
            emit(
                .constant,
                c: index(of: .error(Diagnostic(Failure("eval/recur", message), source: site?.source, span: site?.span)))
            )
            mark(site)
            emit(.raise)
            if use.isPushed { push() }
            return
        }
        emitSteps(values, label)
        let extra = height - label.depth
        for _ in 0..<extra { emit(.pop) }
        let index = emit(.jump)
        instructions[index].c = Int32(label.start - index)
        if use.isPushed { push() }
    }

    func emitSteps(_ values: [Node], _ label: LoopLabel) {
        if values.count == 1, !label.variables[0].isCell, let step = increment(label.variables[0], values[0]) {
            emit(.incrementLocal, b: label.variables[0].slot, c: step)
            return
        }
        for value in values { emit(value, .pushed) }
        for variable in label.variables.reversed() {
            emit(.storeLocal, c: variable.slot)
            height -= 1
        }
    }

    func emitWhile(_ test: Node, _ body: Node, _ use: Use) {
        let start = instructions.count
        let toEnd = emitTest(test)
        emit(body, .dropped)
        let back = emit(.jump)
        instructions[back].c = Int32(start - back)
        land(toEnd)
        emitConstant(.null, use)
    }

    // MARK: Errors

    func emitAttempt(_ body: Node, _ variable: Variable, _ handler: Node, _ use: Use) {
        let entry = emit(.pushHandler)
        let before = height
        emit(body, use.inner)
        emit(.popHandler)
        let toEnd = emit(.jump)
        height = before
        land(entry)
        push()
        variable.slot = height - 1
        if variable.isCell { emit(.makeCell, c: variable.slot) }
        emit(handler, use.inner)
        unbind(1, use.inner)
        land(toEnd)
    }

    func emitEnsure(_ body: Node, _ variable: Variable, _ cleanup: Node, _ use: Use) {
        let entry = emit(.pushHandler, a: 1)
        let before = height
        emit(body, use.inner)
        emit(.popHandler)
        emit(cleanup, .dropped)
        let toEnd = emit(.jump)
        height = before
        land(entry)
        push()
        variable.slot = height - 1
        emit(cleanup, .dropped)
        emit(.raise)
        height = before + (use.isPushed ? 1 : 0)
        land(toEnd)
    }
}
