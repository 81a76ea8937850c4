import Language

/// A variable of a function: a parameter, a `let` binding, a local definition.
final class Variable {
    let name: String
    unowned let owner: FunctionScope
    /// Whether an inner function uses it.
    var isCaptured = false
    /// Whether it is assigned to after its binding.
    var isAssigned = false
    /// Its place in the frame, set when code is emitted.
    var slot = -1

    init(name: String, owner: FunctionScope) {
        self.name = name
        self.owner = owner
    }

    /// Whether it lives in a cell that closures share.
    var isCell: Bool { isCaptured && isAssigned }
}

/// What the compiler knows of a function while it analyses its body.
final class FunctionScope {
    let parent: FunctionScope?
    /// Whether what it defines is global.
    let isTopLevel: Bool
    /// The outer variables it uses, in the order of its captures.
    private(set) var captures: [Variable] = []
    /// Variables of definitions that stand where no body begins, or that a macro made.
    var strays: [Variable] = []

    init(parent: FunctionScope?, isTopLevel: Bool = false) {
        self.parent = parent
        self.isTopLevel = isTopLevel
    }

    func capture(_ variable: Variable) {
        variable.isCaptured = true
        if !captures.contains(where: { $0 === variable }) { captures.append(variable) }
    }
}

/// A form after analysis: names resolved, macros expanded.
indirect enum Node {
    case constant(Value)
    case local(Variable)
    case global(Global, Location?)
    /// Members behind a value: `a.b.c`. `exact` is the global of the whole dotted name, which comes first when bound.
    case path(Node, [String], exact: Global?, Location?)
    case assign(Variable, Node)
    case assignGlobal(Global, Node, Location?)
    case define(Global, Node)
    /// `(set (get o k…) v)`: the variable's value changed along the keys.
    case put(Place, [Node], Node, Location?)
    /// A dotted name as the head of a call: a runtime's path is called, not fetched.
    case callee(Node, [String], exact: Global?, Location?)
    case branch(Node, Node, Node)
    case either([Node], isAnd: Bool)
    case sequence([Node])
    case bind(Variable, Node, body: Node)
    case function(Lambda)
    case call(Node, [Node], keywords: UInt64, Location?)
    case primitive(Primitive, [Node], Location?)
    case vector([Node])
    case list([Node])
    case object([Key], [Node])
    case loop([Variable], [Node], body: Node, LoopLabel)
    case recur([Node], LoopLabel, Location?)
    case whileLoop(Node, body: Node)
    /// `body` with an error bound to the variable for `handler`.
    case attempt(Node, Variable, handler: Node)
    /// `cleanup` runs after `body` however that ends.
    case ensure(Node, Variable, cleanup: Node)
}

/// A variable whose value is changed along keys.
enum Place {
    case local(Variable)
    case global(Global)
}

/// The target of `recur`.
final class LoopLabel {
    var variables: [Variable] = []
    /// Where the loop begins, set when code is emitted.
    var start = -1
    var depth = -1
}

/// A function's text after analysis.
final class Lambda {
    let name: String
    let signature: String
    let parameters: [Variable]
    let hasRest: Bool
    let scope: FunctionScope
    let body: Node
    let isMeta: Bool
    /// Whether its tail form is a backquote: a meta-level function that returns code.
    let returnsCode: Bool
    let site: Location?
    let graveyard: Graveyard

    init(
        name: String, signature: String, parameters: [Variable], hasRest: Bool, scope: FunctionScope, body: Node,
        isMeta: Bool, returnsCode: Bool, site: Location?, graveyard: Graveyard
    ) {
        self.name = name
        self.signature = signature
        self.parameters = parameters
        self.hasRest = hasRest
        self.scope = scope
        self.body = body
        self.isMeta = isMeta
        self.returnsCode = returnsCode
        self.site = site
        self.graveyard = graveyard
    }
}

/// Operations with an instruction of their own.
enum Primitive: String {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case equal = "="
    case not
    case get
    case raise = "throw"
    /// A collection that is taken apart, and how many items of it are needed: of a remote object these are fetched.
    case spread = "%spread"
}
