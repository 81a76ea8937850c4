import Language

/// Nodes to instructions. Locals live on the stack where they were pushed; the emitter knows its height at every point.
final class Emitter {
    private let lambda: Lambda
    private let outer: Emitter?
    private var instructions: [Instruction] = []
    private var constants: [Value] = []
    private var codes: [Code] = []
    private var globals: [Global] = []
    private var globalIndices: [ObjectIdentifier: Int] = [:]
    private var masks: [UInt64] = []
    private var sites: [(index: Int, site: Location)] = []
    private var height: Int
    private var tallest: Int
    /// Whether a number did not fit an instruction.
    private var isTooLarge = false

    /// What becomes of a node's value.
    private struct Use {
        /// Whether the value is pushed.
        var isPushed = true
        /// Whether the function returns it.
        var isReturned = false
        /// Whether the innermost loop's turn ends with it.
        var endsTurn = false

        static let pushed = Use()
        static let dropped = Use(isPushed: false)

        /// For a part whose value the node passes on, while something stays to be done behind it.
        var inner: Use { Use(isPushed: isPushed, isReturned: false, endsTurn: false) }
    }

    private init(_ lambda: Lambda, outer: Emitter?) {
        self.lambda = lambda
        self.outer = outer
        height = lambda.parameters.count
        tallest = height
    }

    static func code(_ lambda: Lambda) -> Code {
        Emitter(lambda, outer: nil).finish()
    }

    private func finish() -> Code {
        for (slot, parameter) in lambda.parameters.enumerated() {
            parameter.slot = slot
            if parameter.isCell { emit(.makeCell, c: slot) }
        }
        emit(lambda.body, Use(isReturned: true))
        emit(.return)
        if isTooLarge { refuse() }
        return Code(
            lambda: lambda, frameSize: tallest + 2, captures: lambda.scope.captures.map(capture),
            instructions: instructions, constants: constants, codes: codes, globals: globals, masks: masks, sites: sites
        )
    }

    /// Makes the code an error instead: one function that uses more names than instructions can number.
    private func refuse() {
        let message = "one form uses more than \(UInt16.max) different variables, names or keywords"
        let failure = Failure("eval/too-large", message, help: "write it as several forms or functions")
        instructions = []
        emit(.constant, c: index(of: .error(Diagnostic(failure, source: lambda.site?.source, span: lambda.site?.span))))
        emit(.raise)
    }

    private func capture(_ variable: Variable) -> Code.Capture {
        guard let outer, variable.owner !== outer.lambda.scope else { return .local(variable.slot) }
        return .captured(outer.captureIndex(variable))
    }

    private func captureIndex(_ variable: Variable) -> Int {
        lambda.scope.captures.firstIndex { $0 === variable } ?? 0
    }

    // MARK: Instructions

    @discardableResult
    private func emit(_ op: Opcode, a: Int = 0, b: Int = 0, c: Int = 0) -> Int {
        if b > Int(UInt16.max) { isTooLarge = true }
        instructions.append(Instruction(op: op, a: UInt8(a), b: UInt16(truncatingIfNeeded: b), c: Int32(c)))
        return instructions.count - 1
    }

    private func push(_ count: Int = 1) {
        height += count
        tallest = max(tallest, height)
    }

    private func mark(_ site: Location?) {
        if let site { sites.append((instructions.count, site)) }
    }

    /// Makes the jump at `index` end here.
    private func land(_ index: Int) {
        instructions[index].c = Int32(instructions.count - index)
    }

    private func index(of value: Value) -> Int {
        constants.append(value)
        return constants.count - 1
    }

    private func index(of global: Global) -> Int {
        if let known = globalIndices[ObjectIdentifier(global)] { return known }
        globals.append(global)
        globalIndices[ObjectIdentifier(global)] = globals.count - 1
        return globals.count - 1
    }

    // MARK: Nodes

    private func emit(_ node: Node, _ use: Use) {
        switch node {
        case .constant(let value): emitConstant(value, use)
        case .local(let variable): emitLocal(variable, use)
        case .global(let global, let site):
            mark(site)
            emit(.global, c: index(of: global))
            pushed(use)
        case .path(let root, let names, let exact, let site): emitPath(.path, root, names, exact, site, use)
        case .callee(let root, let names, let exact, let site): emitPath(.callee, root, names, exact, site, use)
        case .assign(let variable, let value): emitAssign(variable, value, use)
        case .assignGlobal(let global, let value, let site):
            emit(value, .pushed)
            mark(site)
            emitStoreGlobal(global, b: 0, use)
        case .define(let global, let value):
            emit(value, .pushed)
            emitStoreGlobal(global, b: 1, use)
        case .put(let place, let keys, let value, let site): emitPut(place, keys, value, site, use)
        case .branch(let test, let then, let otherwise): emitBranch(test, then, otherwise, use)
        case .either(let nodes, let isAnd): emitEither(nodes, isAnd, use)
        case .sequence(let nodes):
            for node in nodes.dropLast() { emit(node, .dropped) }
            emit(nodes[nodes.count - 1], use)
        case .bind(let variable, let value, let body): emitBind(variable, value, body, use)
        case .function(let lambda): emitFunction(lambda, use)
        case .call(let callee, let arguments, let keywords, let site):
            emitCall(callee, arguments, keywords, site, use)
        case .primitive(let primitive, let operands, let site): emitPrimitive(primitive, operands, site, use)
        case .vector(let nodes): emitSequence(.vector, nodes, use)
        case .list(let nodes): emitSequence(.list, nodes, use)
        case .object(let keys, let nodes):
            for node in nodes { emit(node, .pushed) }
            emit(.object, c: index(of: .vector(Items(keys.map { .text($0.string) }))))
            height -= nodes.count
            push()
            drop(unless: use)
        case .loop(let variables, let values, let body, let label): emitLoop(variables, values, body, label, use)
        case .recur(let values, let label, let site): emitRecur(values, label, site, use)
        case .whileLoop(let test, let body): emitWhile(test, body, use)
        case .attempt(let body, let variable, let handler): emitAttempt(body, variable, handler, use)
        case .ensure(let body, let variable, let cleanup): emitEnsure(body, variable, cleanup, use)
        }
    }

    /// After an instruction that pushed one value.
    private func pushed(_ use: Use) {
        push()
        drop(unless: use)
    }

    private func drop(unless use: Use) {
        guard !use.isPushed else { return }
        emit(.pop)
        height -= 1
    }

    private func emitConstant(_ value: Value, _ use: Use) {
        guard use.isPushed else { return }
        switch value {
        case .null: emit(.null)
        case .bool(let flag): emit(.bool, c: flag ? 1 : 0)
        case .int(let int) where Int32(exactly: int) != nil: emit(.integer, c: int)
        default: emit(.constant, c: index(of: value))
        }
        push()
    }

    private func emitLocal(_ variable: Variable, _ use: Use) {
        guard use.isPushed else { return }
        if variable.owner === lambda.scope {
            emit(variable.isCell ? .localCell : .local, c: variable.slot)
        } else {
            emit(variable.isCell ? .capturedCell : .captured, c: captureIndex(variable))
        }
        push()
    }

    private func emitPath(
        _ op: Opcode, _ root: Node, _ names: [String], _ exact: Global?, _ site: Location?, _ use: Use
    ) {
        var jump: Int?
        if let exact {
            emit(.exactGlobal, b: index(of: exact))
            jump = instructions.count - 1
        }
        emit(root, .pushed)
        mark(site)
        emit(op, c: index(of: .vector(Items(names.map(Value.text)))))
        if let jump { land(jump) }
        drop(unless: use)
    }

    private func emitAssign(_ variable: Variable, _ value: Node, _ use: Use) {
        if !use.isPushed, let step = increment(variable, value) {
            emit(.incrementLocal, b: variable.slot, c: step)
            return
        }
        emit(value, .pushed)
        if use.isPushed {
            emit(.duplicate)
            push()
        }
        emitStore(variable)
    }

    private func emitStore(_ variable: Variable) {
        if variable.owner === lambda.scope {
            emit(variable.isCell ? .storeLocalCell : .storeLocal, c: variable.slot)
        } else {
            emit(.storeCapturedCell, c: captureIndex(variable))
        }
        height -= 1
    }

    private func emitStoreGlobal(_ global: Global, b: Int, _ use: Use) {
        if use.isPushed {
            emit(.duplicate)
            push()
        }
        emit(.storeGlobal, b: b, c: index(of: global))
        height -= 1
    }

    private func emitPut(_ place: Place, _ keys: [Node], _ value: Node, _ site: Location?, _ use: Use) {
        for key in keys { emit(key, .pushed) }
        emit(value, .pushed)
        mark(site)
        switch place {
        case .local(let variable) where variable.owner === lambda.scope:
            emit(.put, a: variable.isCell ? 1 : 0, b: variable.slot, c: keys.count)
        case .local(let variable): emit(.put, a: 2, b: captureIndex(variable), c: keys.count)
        case .global(let global): emit(.put, a: 3, b: index(of: global), c: keys.count)
        }
        height -= keys.count
        drop(unless: use)
    }

    // MARK: Branches

    private func emitBranch(_ test: Node, _ then: Node, _ otherwise: Node, _ use: Use) {
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
    private func emitTest(_ test: Node) -> Int {
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

    private func emitComparison(_ comparison: Comparison, _ operands: [Node], _ site: Location?) -> Int {
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

    private func plainLocal(_ node: Node) -> Variable? {
        guard case .local(let variable) = node, variable.owner === lambda.scope, !variable.isCell,
            variable.slot <= Int(UInt16.max)
        else { return nil }
        return variable
    }

    private func smallInteger(_ node: Node) -> Int? {
        guard case .constant(.int(let int)) = node, int.magnitude < 1 << 30 else { return nil }
        return int
    }

    /// The step when the node is the variable plus or minus a small integer.
    private func increment(_ variable: Variable, _ value: Node) -> Int? {
        guard case .primitive(let primitive, let operands, _) = value, let local = plainLocal(operands[0]),
            local === variable
        else { return nil }
        return step(primitive, operands)
    }

    private func step(_ primitive: Primitive, _ operands: [Node]) -> Int? {
        guard let number = operands.count == 2 ? smallInteger(operands[1]) : nil else { return nil }
        return primitive == .add ? number : primitive == .subtract && number != 0 ? -number : nil
    }

    private func emitEither(_ nodes: [Node], _ isAnd: Bool, _ use: Use) {
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

    private func emitBind(_ variable: Variable, _ value: Node, _ body: Node, _ use: Use) {
        emit(value, .pushed)
        variable.slot = height - 1
        if variable.isCell { emit(.makeCell, c: variable.slot) }
        emit(body, use)
        unbind(1, use)
    }

    private func unbind(_ count: Int, _ use: Use) {
        defer { height -= count }
        if use.isReturned || count == 0 { return }
        if use.isPushed {
            emit(.slide, c: count)
        } else {
            for _ in 0..<count { emit(.pop) }
        }
    }

    private func emitFunction(_ inner: Lambda, _ use: Use) {
        guard use.isPushed else { return }
        codes.append(Emitter(inner, outer: self).finish())
        emit(.closure, c: codes.count - 1)
        push()
    }

    private func emitSequence(_ op: Opcode, _ nodes: [Node], _ use: Use) {
        for node in nodes { emit(node, .pushed) }
        emit(op, c: nodes.count)
        height -= nodes.count
        pushed(use)
    }

    private func emitCall(_ callee: Node, _ arguments: [Node], _ keywords: UInt64, _ site: Location?, _ use: Use) {
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

    private func emitPrimitive(_ primitive: Primitive, _ operands: [Node], _ site: Location?, _ use: Use) {
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

    private func emitLoop(_ variables: [Variable], _ values: [Node], _ body: Node, _ label: LoopLabel, _ use: Use) {
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

    private func emitRecur(_ values: [Node], _ label: LoopLabel, _ site: Location?, _ use: Use) {
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

    private func emitSteps(_ values: [Node], _ label: LoopLabel) {
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

    private func emitWhile(_ test: Node, _ body: Node, _ use: Use) {
        let start = instructions.count
        let toEnd = emitTest(test)
        emit(body, .dropped)
        let back = emit(.jump)
        instructions[back].c = Int32(start - back)
        land(toEnd)
        emitConstant(.null, use)
    }

    // MARK: Errors

    private func emitAttempt(_ body: Node, _ variable: Variable, _ handler: Node, _ use: Use) {
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

    private func emitEnsure(_ body: Node, _ variable: Variable, _ cleanup: Node, _ use: Use) {
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

extension Comparison {
    init?(_ primitive: Primitive) {
        switch primitive {
        case .less: self = .less
        case .lessOrEqual: self = .lessOrEqual
        case .greater: self = .greater
        case .greaterOrEqual: self = .greaterOrEqual
        case .equal: self = .equal
        case .add, .subtract, .multiply, .not, .get, .raise: return nil
        }
    }
}

extension Opcode {
    init(_ primitive: Primitive) {
        switch primitive {
        case .add: self = .add
        case .subtract: self = .subtract
        case .multiply: self = .multiply
        case .less: self = .less
        case .lessOrEqual: self = .lessOrEqual
        case .greater: self = .greater
        case .greaterOrEqual: self = .greaterOrEqual
        case .equal: self = .equal
        case .not: self = .not
        case .get: self = .get
        case .raise: self = .raise
        }
    }
}
