import Evaluator
import Glibc
import Language

/// What the library has beyond data: the system, chance, and what needs a library in C.
extension Router {
    func registerLibrary() {
        LibraryMath.register(in: machine)
        LibraryPatterns().register(in: machine)
        LibraryPaths.register(in: machine, directory: Self.workingDirectory)
        LibraryFiles.register(in: machine)
        LibraryTime.register(in: machine)
        registerEnvironment()
        registerChance()
    }

    private static func workingDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    private func registerEnvironment() {
        machine.add(
            "(env.get name otherwise)", 1...2, "An environment variable; null, or another value, when it is not set.",
            "(string? (env.get \"PATH\")) => true", "(env.get \"NO SUCH NAME\" 1) => 1"
        ) { arguments throws(Failure) in
            if let value = getenv(try arguments.path(0)) { return .text(String(cString: value)) }
            return arguments.count == 2 ? arguments[1] : .null
        }
        machine.add("(env.all)", 0...0, "The environment variables, as an object.", "(has? (env.all) \"PATH\") => true")
        { _ in
            var variables = Object.Entries()
            var place = environ
            while let entry = place.pointee {
                let text = String(cString: entry)
                let name = text.prefix { $0 != "=" }
                variables[Key(String(name))] = .text(String(text.dropFirst(name.count + 1)))
                place += 1
            }
            return .object(Object(variables))
        }
        machine.add("(env.cwd)", 0...0, "The working directory.", "(path.absolute \".\") => (env.cwd)") { _ in
            .text(Self.workingDirectory())
        }
    }

    private func registerChance() {
        machine.add(
            "(random.float)", 0...0, "A float from 0 up to 1, which is left out, as chance has it.",
            "(< (random.float) 1) => true"
        ) { _ in .double(.random(in: 0..<1)) }
        machine.add(
            "(random.integer low high)", 2...2, "An integer from low to high, both included, as chance has it.",
            "(random.integer 3 3) => 3"
        ) { arguments throws(Failure) in
            let (low, high) = (try arguments.integer(0), try arguments.integer(1))
            guard low <= high else { throw arguments.wrong(1, "an integer not below the first") }
            return .int(.random(in: low...high))
        }
        machine.add(
            "(random.shuffle collection)", 1...1, "The items in an order that chance has made.",
            "(sort (random.shuffle [1 2 3])) => [1 2 3]"
        ) { arguments throws(Failure) in .vector(Items(try arguments.sequence(0).shuffled())) }
    }
}
