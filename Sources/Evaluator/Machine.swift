import Language

/// The bytecode machine: globals, built-in functions, the ledger, and what runs fibers.
///
/// It knows no runtime and does no input or output; both come in as functions registered by its owner.
public final class Machine {
    public let globals = Globals()
    public let ledger = Ledger()
    /// The functions the machine was made with, by name, whatever the globals of these names are now.
    public internal(set) var builtins: [String: Value] = [:]
    /// Runs a fiber that waits for something until it ends; for code that must finish while other code is compiled.
    public var finish: ((Fiber) -> Outcome)?
    /// Asked now and then while code runs at compile time: whether the user wants it to stop.
    public var isInterrupted: () -> Bool = { false }
    /// What must be called, and waited for, before that what failed can be tried again; nil for a failure that stays one.
    public var prerequisite: (Failure) -> ControlFunction? = { _ in nil }
    private var raised: Diagnostic?
    let graveyard = Graveyard()
    /// How deep the compiler and the code it runs at compile time nest on the host's stack.
    var compileDepth = 0
    /// The names of `(def f (x))`, which look like functions without a body.
    var bodiless: Set<String> = []
    var extensionTexts: [String] = []
    var parsedExtensions: [String: Library.Chunk] = [:]
    var providers: [String: () -> Value] = [:]
    private var symbolCount = 0

    /// How a fiber stopped.
    public enum Outcome {
        case finished(Value)
        case failed(Diagnostic)
        /// It waits to be resumed.
        case suspended
        /// Its time slice ended.
        case yielded
    }

    public init() {
        globals.load = { [unowned self] name in library(name) }
        Library.register(in: self)
    }

    /// Adds a built-in function under its name.
    public func register(_ function: Function, as name: String? = nil) {
        builtins[name ?? function.name] = .function(function)
        globals.define(name ?? function.name, .function(function))
    }

    /// Whether the global of that name still is what was built in.
    func isBuiltin(_ name: String) -> Bool {
        guard case .function(let original)? = builtins[name], case .function(let current)? = globals.named(name).value
        else { return false }
        return original === current
    }

    // MARK: Programs

    /// A fiber that evaluates a top-level form when it is run.
    ///
    /// - Throws: a diagnostic that `take` gives, when the form has no meaning.
    public func fiber(_ form: Form, source: Source) throws(Raised) -> Fiber {
        let site = Location(source: source, span: form.span)
        let lambda = try Analyzer.program(form.value, machine: self, isMeta: false, site: site)
        let code = Emitter.code(lambda)
        prepare(code)
        let fiber = Fiber(name: source.name, calling: .function(Closure(code: code, captures: [])), [])
        fiber.site = site
        return fiber
    }

    /// Lets the control functions that the code names get ready, where there are several.
    private func prepare(_ code: Code) {
        var found: [ObjectIdentifier: ControlFunction] = [:]
        for global in code.globals {
            guard case .function(let function)? = global.value, function.kind == .control,
                let control = function as? ControlFunction
            else { continue }
            found[ObjectIdentifier(control)] = control
        }
        guard found.count > 1 else { return }
        for control in found.values { control.prepare() }
    }

    /// A fiber that calls a function.
    public func fiber(name: String, calling function: Value, _ arguments: [Value]) -> Fiber {
        Fiber(name: name, calling: function, arguments)
    }

    /// A function that evaluates top-level forms one after the other; each is compiled when its turn comes.
    public func sequence(_ forms: [Form], source: Source) -> Value {
        let steps = forms.map { form in
            Value.function(
                Control("(form)", arity: 0...0) { [unowned self] _, _ throws(Failure) in
                    do throws(Raised) {
                        return .call(
                            try closure(form.value, site: Location(source: source, span: form.span), isMeta: false), [])
                    } catch {
                        throw thrown(.error(take(error)))
                    }
                })
        }
        let run = globals.named("%run-all").value ?? .null
        return .function(
            Control("(\(source.name))", arity: 0...0) { _, _ in .call(run, [.vector(Items(steps))]) })
    }

    /// A global whose value is made when it is first looked at.
    public func provide(_ name: String, _ value: @escaping () -> Value) {
        providers[name] = value
    }

    func closure(_ form: Value, site: Location?, isMeta: Bool) throws(Raised) -> Value {
        let lambda = try Analyzer.program(form, machine: self, isMeta: isMeta, site: site)
        return .function(Closure(code: Emitter.code(lambda), captures: []))
    }

    /// Levels of forms in forms, and what a call at compile time counts as: what 8 MiB of stack hold with room to spare.
    static let compileLimit = 2 * Nesting.limit + 200
    private static let callDepth = 20

    /// Calls a function and runs it to its end: for macros and the `meta` stage.
    func callNow(_ closure: Closure, _ arguments: [Value]) throws(Raised) -> Value {
        compileDepth += Self.callDepth
        defer { compileDepth -= Self.callDepth }
        guard compileDepth <= Self.compileLimit else {
            throw raise(Diagnostic(Failure("eval/depth", "code that runs while code is compiled nests too deeply")))
        }
        let fiber = Fiber(name: closure.name, calling: .function(closure), arguments)
        while true {
            var outcome = run(fiber)
            if case .suspended = outcome, let finish { outcome = finish(fiber) }
            switch outcome {
            case .finished(let value): return value
            case .failed(let diagnostic): throw raise(diagnostic)
            case .yielded: fiber.isInterrupted = isInterrupted()
            case .suspended: throw raise(Diagnostic(Failure("eval/stage", "nothing here can be waited for")))
            }
        }
    }

    /// One step of macro expansion: the form as its macro makes it, or the form itself.
    func expandOnce(_ form: Value) throws(Raised) -> Value {
        guard case .list(let items) = form, case .symbol(let head)? = items.elements.first,
            let macro = globals.bound(head.name)?.macro
        else { return form }
        return try Analyzer(machine: self, isMeta: true, site: nil).expansion(macro, items)
    }

    func gensym(_ stem: String) -> Value {
        symbolCount += 1
        return .name("\(stem)__\(symbolCount)")
    }

    // MARK: Errors

    /// Keeps the diagnostic and gives the marker to throw.
    public func raise(_ diagnostic: Diagnostic) -> Raised {
        raised = diagnostic
        return Raised()
    }

    /// The diagnostic behind a marker.
    public func take(_ marker: Raised) -> Diagnostic {
        defer { raised = nil }
        return raised ?? Diagnostic(Failure("eval/unknown", "an error without a description"))
    }

    func frame(_ name: String, _ site: Location) -> Diagnostic.Frame {
        let place = site.source.place(of: site.span.lower)
        let text = String(place.text.drop { $0 == " " }.prefix(100))
        return Diagnostic.Frame(function: name, source: site.source.name, line: place.line, text: text)
    }

    // MARK: Lineage

    /// The value as a MetaObject that meta computed from the entries numbered `parents`.
    public func derive(_ value: Value, by code: String, from parents: [Int]) -> Value {
        switch value {
        case .bool, .null, .meta, .error: return value
        case .function(let function): if (function as? RemoteObject)?.isData != true { return value }
        default: break
        }
        let entry = Ledger.Entry(
            source: "meta", code: code, foreignType: "", parents: parents, summary: Describe.summary(value))
        return .meta(MetaObject(source: "meta", number: ledger.record(entry), data: value))
    }

    /// A MetaObject that a program makes itself; never one around another.
    public func constructed(source: String, data: Value) -> Value {
        var (data, parents): (Value, [Int]) = (data, [])
        if case .meta(let inner) = data, let value = try? inner.data() { (data, parents) = (value, [inner.number]) }
        let entry = Ledger.Entry(source: source, code: "MetaObject", parents: parents, summary: Describe.summary(data))
        return .meta(MetaObject(source: source, number: ledger.record(entry), data: data))
    }

    /// The object itself, or the MetaObject that an object of that `_type` is.
    func recognized(_ object: Object) -> Value {
        guard case .string(let type)? = object["_type"], type.string == "MetaObject", let data = object["data"],
            let source = object["source"]?.nameText
        else { return .object(object) }
        return constructed(source: source, data: data)
    }

    /// A part of a MetaObject: its source stays, the path to it is recorded.
    public func select(_ part: Value, of meta: MetaObject, path: String) -> Value {
        if case .meta = part { return part }
        let entry = Ledger.Entry(
            source: meta.source, code: path, parents: [meta.number], summary: Describe.summary(part))
        return .meta(MetaObject(source: meta.source, number: ledger.record(entry), data: part))
    }
}

/// An error on its way; the machine keeps the diagnostic.
public struct Raised: Error {
    public init() {}
}
