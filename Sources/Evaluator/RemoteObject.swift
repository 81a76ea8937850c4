import Language

/// An object that stays with its owner: it is called, read and compared there.
open class RemoteObject: ControlFunction {
    /// What its owner can be asked. The answer is the step's value.
    public enum Question {
        /// The item under a key.
        case item(Value)
        /// To set the item under a key of what is behind the path.
        case setItem(path: [String], key: Value, Value)
        /// Whether it equals a value by its own language's equality.
        case equality(Value)
        /// `[items rest]`: a vector of the next items, and who has those after them, or null.
        case items(atMost: Int)
        case length
        /// The names of its attributes.
        case members
        /// Its content as data.
        case copy
        /// What its own language has to say about it, as a text or null.
        case documentation
    }

    open var isCallable: Bool { true }

    open func ask(_ question: Question, in fiber: Fiber) throws(Failure) -> Step {
        throw Failure("eval/type", "\(name) cannot be asked")
    }

    /// Whether it stands for data: what is computed from it has a lineage as other data.
    open var isData: Bool { false }

    /// What `(type x)` says of it.
    open var kindName: String { isData ? "buffer" : "handle" }

    /// What an operator or function over numbers gives for this object, which is among the operands.
    ///
    /// - Throws: `eval/type` for an object that is no array of numbers; what `Machine.prerequisite` knows for one whose
    ///   contents must be asked for first.
    open func operate(_ name: String, _ operands: [Value]) throws(Failure) -> Value {
        throw Failure(
            "eval/type", "\(name) takes numbers, got \(Describe.short(.function(self)))",
            help: "(fetch x) gives what an object of a runtime holds, as data")
    }

    /// The object when the value is one, a MetaObject around it or not.
    public static func find(in value: Value) throws(Failure) -> RemoteObject? {
        guard case .function(let function) = try value.unwrapped(), function.kind == .control else { return nil }
        return function as? RemoteObject
    }
}

/// What a function over data needs so that it can be called again.
enum Want {
    /// The items of the remote object that is the argument of this index, as many as that.
    case items(Int, atMost: Int)
    /// Its content.
    case copy(Int)
    /// That the named function be called in its place.
    case instead(String)
    /// That a remote object among the arguments give the result.
    case operation
}

extension Arguments {
    /// Argument `index` as data; of a remote object so many of its items are wanted.
    mutating func collection(_ index: Int, atMost limit: Int = Limit.items + 1) throws(Failure) -> Value {
        let value = try data(index)
        if case .function(let function) = value, function is RemoteObject {
            want = .items(index, atMost: limit)
            throw wrong(index, "a collection")
        }
        return value
    }

    /// Argument `index` as data; of a remote object its content is wanted.
    mutating func content(_ index: Int) throws(Failure) -> Value {
        let value = try data(index)
        if case .function(let function) = value, function is RemoteObject {
            want = .copy(index)
            throw wrong(index, "data")
        }
        return value
    }

    /// Asks a remote object among the arguments for the result.
    mutating func operate() throws(Failure) {
        for index in 0..<count where try RemoteObject.find(in: self[index]) != nil {
            want = .operation
            throw wrong(index, "a number")
        }
    }

    /// Asks for another function when one of the arguments is a remote object.
    mutating func leave(to name: String) throws(Failure) {
        for index in 0..<count where try RemoteObject.find(in: self[index]) != nil {
            want = .instead(name)
            throw wrong(index, "data")
        }
    }
}

extension Machine {
    /// The call in the place of one that met a remote object where it takes data.
    func supply(_ want: Want, _ arguments: Arguments) -> Step {
        let function = Value.function(arguments.function)
        let all = Value.vector(Items(arguments.all))
        switch want {
        case .items(let index, let limit):
            return .call(
                globals.named("%with-items").value ?? .null, [function, all, .int(index), .int(limit)])
        case .copy(let index): return .call(globals.named("%with-copy").value ?? .null, [function, all, .int(index)])
        case .instead(let name): return .call(globals.named(name).value ?? .null, arguments.all)
        case .operation:
            return .call(globals.named("%operate").value ?? .null, [.text(arguments.function.name), all])
        }
    }
}

extension Library {
    /// Questions to remote objects, and the items of any collection in parts.
    static func registerRemoteObjects(in machine: Machine) {
        let questions: [(String, RemoteObject.Question)] = [
            ("%length", .length), ("%members", .members), ("%copy", .copy), ("%documentation", .documentation),
        ]
        for (name, question) in questions {
            machine.register(
                Control("(\(name) object)", arity: 1...1) { arguments, fiber throws(Failure) in
                    guard let object = try RemoteObject.find(in: arguments[0]) else {
                        throw arguments.wrong(0, "an object of a runtime")
                    }
                    return try object.ask(question, in: fiber)
                })
        }
        machine.register(
            Control("(%operate name operands)", arity: 2...2) { [unowned machine] arguments, _ throws(Failure) in
                .value(try machine.operate(try arguments.string(0), try arguments.items(1)))
            })
        machine.register(
            Control("(%chunk collection limit)", arity: 1...2) { arguments, fiber throws(Failure) in
                guard let object = try RemoteObject.find(in: arguments[0]) else {
                    return .value(.vector(Items([arguments[0], .null])))
                }
                let limit = arguments.count == 2 ? try arguments.size(1) : chunkSize
                return try object.ask(.items(atMost: min(limit, chunkSize)), in: fiber)
            })
        machine.add(
            "(handle? value)", 1...1, "Whether the value is an object that stays with its runtime.",
            "(handle? 1) => false", lineage: .plain
        ) { arguments throws(Failure) in .bool(try RemoteObject.find(in: arguments[0]) != nil) }
    }

    /// Items that cross at once when an object is gone through.
    static let chunkSize = 1_000
}

extension Machine {
    /// The result that one of the operands gives. A MetaObject among them is a parent of it.
    fileprivate func operate(_ name: String, _ operands: [Value]) throws(Failure) -> Value {
        var data: [Value] = []
        var parents: [Int] = []
        for operand in operands {
            data.append(try operand.unwrapped())
            if case .meta(let meta) = operand { parents.append(meta.number) }
        }
        guard let object = data.lazy.compactMap({ (try? RemoteObject.find(in: $0)) ?? nil }).first else {
            throw Failure("eval/type", "\(name) takes numbers")
        }
        let result = try object.operate(name, data)
        return parents.isEmpty ? result : derive(result, by: name, from: parents)
    }
}

/// A call that is made again when what it lacked is there.
final class Again: ControlFunction {
    private let control: ControlFunction
    private let values: [Value]
    private let literalKeywords: UInt64

    init(_ control: ControlFunction, _ arguments: Arguments) {
        self.control = control
        values = arguments.all
        literalKeywords = arguments.literalKeywords
        super.init(name: control.name, signature: control.signature)
    }

    override func call(_ path: [String], _ arguments: inout Arguments, in fiber: Fiber) throws(Failure) -> Step {
        var values = values
        let count = values.count
        // Typed throws do not pass through the pointer's closure.
        let result = values.withUnsafeMutableBufferPointer { items -> Result<Step, Failure> in
            guard let base = items.baseAddress ?? UnsafeMutablePointer(bitPattern: 16) else {
                return .success(.suspend)
            }
            var again = Arguments(base: base, count: count, literalKeywords: literalKeywords, function: control)
            do throws(Failure) {
                return .success(try control.call([], &again, in: fiber))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
