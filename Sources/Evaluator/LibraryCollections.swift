import Language

extension Library {
    static func registerCollections(in machine: Machine) {
        registerConstruction(in: machine)
        registerMembers(in: machine)
        registerInternals(in: machine)
    }

    private static func registerConstruction(in machine: Machine) {
        machine.register(
            Builtin(
                "(object …keys-and-values)", arity: 0...Int.max, lineage: .plain,
                documentation: Documentation(
                    "An object of keys, each followed by its value.", examples: ["(object :a 1 \"b\" 2) => {a: 1 b: 2}"]
                ),
                body: { [unowned machine] arguments throws(Failure) in
                    guard arguments.count.isMultiple(of: 2) else {
                        throw Failure(
                            "eval/arity", "object takes keys and values in pairs, got \(arguments.count) arguments")
                    }
                    var entries = Object.Entries()
                    for index in stride(from: 0, to: arguments.count, by: 2) {
                        entries[Key(try arguments.string(index))] = arguments[index + 1]
                    }
                    return machine.recognized(Object(entries))
                }))
        machine.register(
            Builtin(
                "(list …items)", arity: 0...Int.max, lineage: .plain,
                documentation: Documentation("A list of the arguments.", examples: ["(list 1 2) => '(1 2)"]),
                body: { arguments in arguments.count == 0 ? .null : .list(Items(arguments.all)) }))
        machine.register(
            Builtin(
                "(vector …items)", arity: 0...Int.max, lineage: .plain,
                documentation: Documentation("A vector of the arguments.", examples: ["(vector 1 2) => [1 2]"]),
                body: { arguments in .vector(Items(arguments.all)) }))
        machine.register(
            Builtin(
                "(object-from pairs)", arity: 1...1,
                documentation: Documentation(
                    "An object of [key value] pairs, or of a map whose keys are texts; of equal keys the last counts.",
                    examples: ["(object-from [[\"a\" 1] [\"b\" 2]]) => {a: 1 b: 2}"]),
                body: { arguments throws(Failure) in
                    var entries = Object.Entries()
                    for item in try arguments.sequence(0) {
                        guard let pair = Collections.items(try arguments.look(item)), pair.count == 2,
                            let name = Collections.keyText(pair[0])
                        else { throw arguments.wrong(0, "[key value] pairs") }
                        entries[Key(name)] = pair[1]
                    }
                    return .object(Object(entries))
                }))
    }

    private static func registerMembers(in machine: Machine) {
        machine.register(
            Control(
                "(get value key …keys)", arity: 1...Int.max,
                documentation: Documentation(
                    "The member along the keys: names of objects, indices of vectors and strings, from the end when negative; null where there is none.",
                    examples: ["(get {a: [1 2]} :a 0) => 1", "(get [1 2 3] -1) => 3"])
            ) { [unowned machine] arguments, fiber throws(Failure) in
                try machine.members(of: arguments[0], arguments.from(1)[...], in: fiber)
            })
        machine.register(
            Builtin(
                "(count collection)", arity: 1...1,
                documentation: Documentation(
                    "The number of items; of a string's characters (Unicode scalars); of an object's keys.",
                    examples: ["(count [1 2 3]) => 3", "(count \"héllo\") => 5", "(count null) => 0"]),
                body: { arguments throws(Failure) in
                    try arguments.leave(to: "%length")
                    switch try arguments.data(0) {
                    case .null: return .int(0)
                    case .list(let items), .vector(let items): return .int(items.elements.count)
                    case .object(let object): return .int(object.entries.count)
                    case .string(let text): return .int(text.string.unicodeScalars.count)
                    case .tagged(let tagged):
                        guard let count = tagged.count else { throw arguments.wrong(0, "a collection") }
                        return .int(count)
                    default: throw arguments.wrong(0, "a collection")
                    }
                }))
        machine.register(
            Builtin(
                "(zip …collections)", arity: 1...Int.max, lineage: .plain,
                documentation: Documentation(
                    "Vectors of an item of each collection, as many as the shortest has.",
                    examples: ["(zip [1 2] [\"a\" \"b\"]) => [[1 \"a\"] [2 \"b\"]]"]),
                body: { arguments throws(Failure) in
                    var columns: [[Value]] = []
                    for index in 0..<arguments.count { columns.append(try arguments.sequence(index)) }
                    let count = columns.map(\.count).min() ?? 0
                    return .vector(Items((0..<count).map { row in .vector(Items(columns.map { $0[row] })) }))
                }))
    }

    private static func registerInternals(in machine: Machine) {
        machine.register(
            Builtin("(%items collection)", arity: 1...1, lineage: .plain) {
                [unowned machine] arguments throws(Failure) in
                guard let items = Collections.items(try arguments.collection(0)) else {
                    throw Failure("eval/type", "a collection is wanted here, got \(Describe.short(arguments[0]))")
                }
                guard case .meta(let meta) = arguments[0] else { return .vector(Items(items)) }
                return .vector(
                    Items(items.enumerated().map { machine.select($0.element, of: meta, path: "[\($0.offset)]") }))
            })
        for (name, isList) in [("%join-list", true), ("%join-vector", false)] {
            machine.register(
                Builtin("(\(name) …parts)", arity: 0...Int.max, lineage: .plain) { arguments throws(Failure) in
                    var items: [Value] = []
                    for index in 0..<arguments.count { items += try arguments.sequence(index) }
                    return !isList ? .vector(Items(items)) : items.isEmpty ? .null : .list(Items(items))
                })
        }
    }
}
