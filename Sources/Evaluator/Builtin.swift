import Language

/// A function over data, in Swift.
public final class Builtin: Function {
    public typealias Body = (inout Arguments) throws(Failure) -> Value

    let arity: ClosedRange<Int>
    let lineage: Lineage
    let body: Body
    public let documentation: Documentation?

    /// How a result relates to the MetaObjects among the arguments.
    public enum Lineage: Sendable {
        /// The result is a new value whose parents are the arguments that were looked at.
        case computes
        /// The result is plain: predicates, and what reads a MetaObject as such.
        case plain
    }

    /// - Parameter signature: the shape of a call, `(name a b ...rest)`, as errors and `doc` show it.
    public init(
        _ signature: String, arity: ClosedRange<Int>, lineage: Lineage = .computes, documentation: Documentation? = nil,
        body: @escaping Body
    ) {
        self.arity = arity
        self.lineage = lineage
        self.body = body
        self.documentation = documentation
        super.init(name: Self.name(of: signature), signature: signature, kind: .builtin)
    }

    static func name(of signature: String) -> String {
        String(signature.dropFirst().prefix { $0 != " " && $0 != ")" })
    }
}

/// What `(doc name)` prints: a sentence or two, and examples that run as tests.
public struct Documentation: Sendable {
    public let text: String
    public let examples: [String]

    public init(_ text: String, examples: [String] = []) {
        self.text = text
        self.examples = examples
    }
}

/// What a control function asks the machine for.
public enum Step {
    case value(Value)
    /// To call the function in its place.
    case call(Value, [Value])
    /// To wait until the fiber is resumed with a value or an error.
    case suspend
}

/// A function in Swift that may call back, wait, or be the root of paths (`py.math.sqrt`).
open class ControlFunction: Function {
    public let documentation: Documentation?

    public init(name: String, signature: String, documentation: Documentation? = nil) {
        self.documentation = documentation
        super.init(name: name, signature: signature, kind: .control)
    }

    /// - Parameter path: the members behind the name in the call's head; empty for the function itself.
    open func call(_ path: [String], _ arguments: inout Arguments, in fiber: Fiber) throws(Failure) -> Step {
        throw Failure("eval/not-callable", "\(name) cannot be called")
    }

    /// Called before a form runs that names this function and others like it: they may get ready side by side.
    open func prepare() {}

    /// The value of a path in value position.
    open func fetch(_ path: [String], in fiber: Fiber) throws(Failure) -> Step {
        throw Failure("eval/no-member", "\(name) has no members, got .\(path.joined(separator: "."))")
    }

    open func assign(_ path: [String], _ value: Value, in fiber: Fiber) throws(Failure) -> Step {
        throw Failure("eval/no-member", "\(name) has no members to set, got .\(path.joined(separator: "."))")
    }
}

/// A control function of one closure.
public final class Control: ControlFunction {
    public typealias Body = (inout Arguments, Fiber) throws(Failure) -> Step

    let forms: Forms
    private let arity: ClosedRange<Int>
    private let body: Body

    /// How a call that is written out gives the arguments.
    public enum Forms: Equatable, Sendable {
        case evaluated
        /// Each as a function without parameters.
        case each
        /// Those from this place on (the head is 0) together as one function without parameters.
        case body(from: Int)
        /// The first as what is called in a list's head; the others evaluated.
        case path
        /// Evaluated, but what stands behind this keyword is taken as it is written.
        case quoted(behind: String)
    }

    public init(
        _ signature: String, arity: ClosedRange<Int>, forms: Forms = .evaluated, documentation: Documentation? = nil,
        body: @escaping Body
    ) {
        self.forms = forms
        self.arity = arity
        self.body = body
        super.init(name: Builtin.name(of: signature), signature: signature, documentation: documentation)
    }

    public override func call(
        _ path: [String], _ arguments: inout Arguments, in fiber: Fiber
    ) throws(Failure) -> Step {
        guard path.isEmpty else {
            throw Failure("eval/no-member", "\(name) has no members, got .\(path.joined(separator: "."))")
        }
        try Arity.check(arguments.count, arity, of: self)
        return try body(&arguments, fiber)
    }
}

/// A runtime's path, ready to be called.
public final class BoundPath: ControlFunction {
    public let root: ControlFunction
    public let path: [String]

    init(root: ControlFunction, path: [String]) {
        self.root = root
        self.path = path
        let name = ([root.name] + path).joined(separator: ".")
        super.init(name: name, signature: "(\(name) ...arguments)")
    }

    public override func call(_ path: [String], _ arguments: inout Arguments, in fiber: Fiber) throws(Failure) -> Step {
        try root.call(self.path + path, &arguments, in: fiber)
    }

    public override func fetch(_ path: [String], in fiber: Fiber) throws(Failure) -> Step {
        try root.fetch(self.path + path, in: fiber)
    }
}

enum Arity {
    static func check(_ given: Int, _ allowed: ClosedRange<Int>, of function: Function) throws(Failure) {
        guard !allowed.contains(given) else { return }
        throw mismatch(function, allowed: allowed, given: given)
    }

    static func mismatch(_ function: Function, allowed: ClosedRange<Int>, given: Int) -> Failure {
        let name = function.name.isEmpty ? "the function" : function.name
        let count = text(allowed)
        let noun = allowed.upperBound == 1 ? "argument" : "arguments"
        return Failure(
            "eval/arity", "arity mismatch: \(name) takes \(count) \(noun), got \(given)",
            help: "its shape is \(function.signature)")
    }

    private static func text(_ allowed: ClosedRange<Int>) -> String {
        if allowed.upperBound == .max {
            return allowed.lowerBound == 0 ? "any number of" : "at least \(allowed.lowerBound)"
        }
        if allowed.lowerBound == allowed.upperBound { return "\(allowed.lowerBound)" }
        return "\(allowed.lowerBound) to \(allowed.upperBound)"
    }
}
