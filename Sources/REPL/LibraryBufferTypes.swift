import Buffers
import Evaluator
import Language
import Wire

/// Types of arrays: names for axes, and views, which are functions that run where the array lives.
extension Router {
    func registerBufferTypes() {
        machine.register(
            Control(
                "(register-buffer-type name …:layout [axes] :format format :views {name function} :replace true)",
                arity: 1...Int.max, forms: .quoted(behind: "layout"),
                documentation: Documentation(
                    "Gives a name to arrays with these axes, whose names are written as they are, and views to them: functions "
                        + "that live in a runtime, paths to such, or an object of these by runtime. The same again changes nothing.",
                    examples: [
                        "(do (register-buffer-type \"Gray\" :layout [height width]) (get (buffer-types) \"Gray\" :layout)) => [\"height\" \"width\"]"
                    ])
            ) { [unowned self] arguments, _ throws(Failure) in
                try register(type: try Given(arguments))
                return .value(.null)
            })
        machine.register(
            Builtin(
                "(buffer-types)", arity: 0...0, lineage: .plain,
                documentation: Documentation(
                    "The registered types by name: {layout format views}.",
                    examples: ["(type (buffer-types)) => \"object\""])
            ) { [unowned self] _ in
                var rows = Object.Entries()
                for name in buffers.types.names {
                    rows[Key(name)] = (try? buffers.types.named(name)).map(Self.row) ?? .null
                }
                return .object(Object(rows))
            })
        addBuffer(
            "(buffer.as buffer type)", 2...2, "The same items as an array of a registered type.",
            "(do (register-buffer-type \"Pair\" :layout [x]) (buffer.axis (buffer.as (buffer.from [1 2]) \"Pair\") \"x\")) => 2"
        ) { [unowned self] arguments throws(Failure) in
            let buffer = try buffer(0, of: arguments)
            let name = try arguments.string(1)
            try buffers.types.named(name).check(buffer.layout)
            return .function(try buffer.with(buffer.layout, type: name))
        }
        machine.register(
            Control(
                "(buffer.view buffer name)", arity: 2...2,
                documentation: Documentation(
                    "A new array: what its owner makes of this one by the view that its type has under that name. "
                        + "A :view of the owner's in runtime-dispatch takes its place.",
                    examples: [
                        "(do (register-buffer-type \"Row\" :layout [x] :views {:double (fn (b) (+ b b))}) "
                            + "(buffer.data (buffer.view (buffer.as (buffer.from [1 2]) \"Row\") \"double\"))) => [2 4]"
                    ])
            ) { [unowned self] arguments, fiber throws(Failure) in
                let buffer = try buffer(0, of: arguments)
                let name = try arguments.string(1)
                if let custom = dispatch(buffer.owner, "view") { return .call(custom, [arguments[0], .text(name)]) }
                return try view(name, of: buffer, arguments[0], in: fiber)
            })
    }

    private func register(type given: Given) throws(Failure) {
        guard given.positional.count == 1, let name = try given.positional[0].unwrapped().nameText else {
            throw Failure("eval/arity", "a buffer type has one name, and keywords: :layout, :format, :views, :replace")
        }
        var axes: [String]?
        var format: ElementFormat?
        var views: Object?
        var replaces = false
        for (key, value) in given.keywords {
            switch (key, try value.unwrapped()) {
            case ("layout", .vector(let items)), ("layout", .list(let items)):
                axes = try items.elements.map { item throws(Failure) in
                    guard let axis = item.nameText else { throw Self.wrongOption(key, item) }
                    return axis
                }
            case ("format", let text):
                guard let text = text.nameText else { throw Self.wrongOption(key, value) }
                format = try ElementFormat(name: text)
            case ("views", .object(let object)): views = object
            case ("replace", .bool(let flag)): replaces = flag
            default: throw Self.wrongOption(key, value)
            }
        }
        guard let axes else {
            throw Failure("eval/keyword", "a buffer type has a layout: :layout [height width]")
        }
        try buffers.types.register(
            try BufferType(name: name, axes: axes, format: format, views: views), replacing: replaces)
    }

    private static func wrongOption(_ key: String, _ value: Value) -> Failure {
        Failure(
            "eval/keyword", "register-buffer-type does not take :\(key) \(Describe.short(value))",
            help: "it takes :layout [names], :format \"float32\", :views {name function}, :replace true")
    }

    private static func row(_ type: BufferType) -> Value {
        .object(
            Object([
                "layout": .vector(Items(type.axes.map(Value.text))),
                "format": type.format.map { .text($0.rawValue) } ?? .null,
                "views": .vector(Items((type.views?.entries.keys.map(\.string) ?? []).map(Value.text))),
            ]))
    }

    // MARK: Views

    private func view(
        _ name: String, of buffer: BufferObject, _ value: Value, in fiber: Fiber
    ) throws(Failure) -> Step {
        let own = buffer.typeName.flatMap { try? buffers.types.named($0).views }
        if let view = own?[name] { return try call(view, named: name, for: buffer, value, in: fiber) }
        if let built = Self.imageViews[name], isImage(buffer) {
            return try runtime(.text("py")).call(built, [value], in: fiber)
        }
        let names = (own?.entries.keys.map(\.string) ?? []) + (isImage(buffer) ? Self.imageViews.keys.sorted() : [])
        let type = buffer.typeName.map { "a buffer of type \($0)" } ?? "a buffer without a type"
        throw Failure(
            "buffer/view", "\(type) has no view \(Printer.quoted(String(name.prefix(80))))",
            help: names.isEmpty
                ? "(register-buffer-type name :layout [axes] :views {name function}) makes views, (buffer.as b name) gives the type"
                : "its views: \(names.joined(separator: ", "))")
    }

    /// Calls a view with the array; of several it has by runtime, the owner's, otherwise the first.
    private func call(
        _ view: Value, named name: String, for buffer: BufferObject, _ value: Value, in fiber: Fiber
    ) throws(Failure) -> Step {
        switch try view.unwrapped() {
        case .function: return .call(view, [value])
        case .string(let path):
            let owner = buffer.owner == HandleTable.meta ? "py" : buffer.owner
            return try runtime(.text(owner)).call(
                path.string.split(separator: ".").map(String.init), [value], in: fiber)
        case .object(let object):
            let language = sessions.language(of: buffer.owner) ?? buffer.owner
            guard let entry = object[buffer.owner] ?? object[language] ?? object.entries.values.first else { break }
            if case .string(let path) = try entry.unwrapped() {
                let place =
                    object[buffer.owner] != nil
                    ? buffer.owner : object[language] != nil ? language : object.entries.keys[0].string
                return try runtime(.text(place)).call(
                    path.string.split(separator: ".").map(String.init), [value], in: fiber)
            }
            return .call(entry, [value])
        default: break
        }
        throw Failure(
            "buffer/view", "the view \(name) is no function, path to one, or object of these by runtime",
            help: "(register-buffer-type … :views {:\(name) (py \"lambda a: …\")} :replace true)")
    }

    /// What Python's kernel brings for pictures of any type.
    private static let imageViews = ["grayscale": ["meta", "grayscale"]]

    private func isImage(_ buffer: BufferObject) -> Bool {
        buffer.layout.format == .uint8 && buffer.layout.rank == 3 && [3, 4].contains(buffer.layout.shape[2])
    }
}

extension Runtime {
    /// Calls a path with values.
    func call(_ path: [String], _ values: [Value], in fiber: Fiber) throws(Failure) -> Step {
        var given = Given()
        given.positional = values
        given.parents = values.compactMap { if case .meta(let meta) = $0 { meta.number } else { nil } }
        return try call(path, given, in: fiber)
    }
}
