import Language

/// The library about itself.
extension Library {
    static func registerDocumentation(in machine: Machine) {
        machine.add(
            "(functions prefix)", 0...1, "The names of all documented functions, or of those that begin so.",
            "(functions \"json.p\") => [\"json.parse\" \"json.parse-lines\" \"json.pretty\"]", lineage: .plain
        ) { [unowned machine] arguments throws(Failure) in
            let prefix = arguments.count == 1 ? try arguments.string(0) : ""
            return .texts(machine.documentedNames.filter { $0.hasPrefix(prefix) })
        }
        machine.add(
            "(doc-data name)", 1...1, "What (doc name) prints, as an object of name, signature, text and examples.",
            "(get (doc-data 'inc) :signature) => \"(inc number)\"", lineage: .plain
        ) { [unowned machine] arguments throws(Failure) in
            let name: String
            if case .function(let function) = arguments[0] {
                name = function.name
            } else {
                name = try arguments.string(0)
            }
            guard let (signature, documentation) = machine.documentation(of: name) else {
                throw Failure("eval/unbound", "there is no documented function \(name)")
            }
            return .object(
                Object([
                    "name": .text(name), "signature": .text(signature), "text": .text(documentation.text),
                    "examples": .texts(documentation.examples),
                ]))
        }
        machine.add(
            "(read text)", 1...1, "The forms a text holds, unevaluated.", "(read \"(+ 1 2) x\") => '[(+ 1 2) x]"
        ) { arguments throws(Failure) in
            let text = try arguments.onlyString(0)
            do throws(ReadError) {
                return .vector(Items(try Reader.read(Source(name: "<read>", text: text)).map(\.value)))
            } catch {
                throw error.failure
            }
        }
    }
}

extension Machine {
    /// The public functions that are documented, sorted; other names of a runtime and its members are left out.
    var documentedNames: [String] {
        let names = Set(builtins.keys).union(libraryNames).filter { name in
            // Looking at a provided value makes it: `stdin` would be read.
            guard providers[name] == nil, !name.hasPrefix("%"), documentation(of: name) != nil else { return false }
            let root = name.prefix { $0 != ":" }
            guard case .function(let function)? = builtins[String(root)] else { return true }
            return function.name == root
        }
        return names.sorted { Key($0) < Key($1) }
    }
}
