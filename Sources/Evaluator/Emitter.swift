import Language

/// Nodes to instructions. Locals live on the stack where they were pushed; the emitter knows its height at every point.
final class Emitter {
    let lambda: Lambda
    private let outer: Emitter?
    var instructions: [Instruction] = []
    private var constants: [Value] = []
    var codes: [Code] = []
    private var globals: [Global] = []
    private var globalIndices: [ObjectIdentifier: Int] = [:]
    var masks: [UInt64] = []
    private var sites: [(index: Int, site: Location)] = []
    var height: Int
    private var tallest: Int
    /// Whether a number did not fit an instruction.
    private var isTooLarge = false

    /// What becomes of a node's value.
    struct Use {
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

    init(_ lambda: Lambda, outer: Emitter?) {
        self.lambda = lambda
        self.outer = outer
        height = lambda.parameters.count
        tallest = height
    }

    static func code(_ lambda: Lambda) -> Code {
        Emitter(lambda, outer: nil).finish()
    }

    func finish() -> Code {
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
    func refuse() {
        let message = "one form uses more than \(UInt16.max) different variables, names or keywords"
        let failure = Failure("eval/too-large", message, help: "write it as several forms or functions")
        instructions = []
        emit(.constant, c: index(of: .error(Diagnostic(failure, source: lambda.site?.source, span: lambda.site?.span))))
        emit(.raise)
    }

    func capture(_ variable: Variable) -> Code.Capture {
        guard let outer, variable.owner !== outer.lambda.scope else { return .local(variable.slot) }
        return .captured(outer.captureIndex(variable))
    }

    func captureIndex(_ variable: Variable) -> Int {
        lambda.scope.captures.firstIndex { $0 === variable } ?? 0
    }

    // MARK: Instructions

    @discardableResult
    func emit(_ op: Opcode, a: Int = 0, b: Int = 0, c: Int = 0) -> Int {
        if b > Int(UInt16.max) { isTooLarge = true }
        instructions.append(Instruction(op: op, a: UInt8(a), b: UInt16(truncatingIfNeeded: b), c: Int32(c)))
        return instructions.count - 1
    }

    func push(_ count: Int = 1) {
        height += count
        tallest = max(tallest, height)
    }

    func mark(_ site: Location?) {
        if let site { sites.append((instructions.count, site)) }
    }

    /// Makes the jump at `index` end here.
    func land(_ index: Int) {
        instructions[index].c = Int32(instructions.count - index)
    }

    func index(of value: Value) -> Int {
        constants.append(value)
        return constants.count - 1
    }

    func index(of global: Global) -> Int {
        if let known = globalIndices[ObjectIdentifier(global)] { return known }
        globals.append(global)
        globalIndices[ObjectIdentifier(global)] = globals.count - 1
        return globals.count - 1
    }

    // MARK: Nodes

    func emit(_ node: Node, _ use: Use) {
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
    func pushed(_ use: Use) {
        push()
        drop(unless: use)
    }

    func drop(unless use: Use) {
        guard !use.isPushed else { return }
        emit(.pop)
        height -= 1
    }

    func emitConstant(_ value: Value, _ use: Use) {
        guard use.isPushed else { return }
        switch value {
        case .null: emit(.null)
        case .bool(let flag): emit(.bool, c: flag ? 1 : 0)
        case .int(let int) where Int32(exactly: int) != nil: emit(.integer, c: int)
        default: emit(.constant, c: index(of: value))
        }
        push()
    }

    func emitLocal(_ variable: Variable, _ use: Use) {
        guard use.isPushed else { return }
        if variable.owner === lambda.scope {
            emit(variable.isCell ? .localCell : .local, c: variable.slot)
        } else {
            emit(variable.isCell ? .capturedCell : .captured, c: captureIndex(variable))
        }
        push()
    }

    func emitPath(
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

    func emitAssign(_ variable: Variable, _ value: Node, _ use: Use) {
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

    func emitStore(_ variable: Variable) {
        if variable.owner === lambda.scope {
            emit(variable.isCell ? .storeLocalCell : .storeLocal, c: variable.slot)
        } else {
            emit(.storeCapturedCell, c: captureIndex(variable))
        }
        height -= 1
    }

    func emitStoreGlobal(_ global: Global, b: Int, _ use: Use) {
        if use.isPushed {
            emit(.duplicate)
            push()
        }
        emit(.storeGlobal, b: b, c: index(of: global))
        height -= 1
    }

    func emitPut(_ place: Place, _ keys: [Node], _ value: Node, _ site: Location?, _ use: Use) {
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
}

extension Comparison {
    init?(_ primitive: Primitive) {
        switch primitive {
        case .less: self = .less
        case .lessOrEqual: self = .lessOrEqual
        case .greater: self = .greater
        case .greaterOrEqual: self = .greaterOrEqual
        case .equal: self = .equal
        case .add, .subtract, .multiply, .not, .get, .raise, .spread: return nil
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
        case .spread: self = .spread
        }
    }
}
