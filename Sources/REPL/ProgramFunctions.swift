import Evaluator
import Language

/// The functions that belong to a program as a whole.
extension Program {
    func registerProgram() {
        let machine = router.machine
        machine.register(
            Builtin(
                "(exit status)", arity: 0...1, lineage: .plain,
                documentation: Documentation(
                    "Ends the program with a status, 0 when none is given.", examples: ["(exit 3)"])
            ) { [unowned self] arguments throws(Failure) in
                let status = arguments.count == 1 ? try arguments.integer(0) : 0
                guard (0...255).contains(status) else { throw arguments.wrong(0, "a status from 0 to 255") }
                exitStatus = Int32(status)
                router.hasExited = true
                throw machine.failure(Machine.interrupted)
            })
        machine.register(
            Control(
                "(include path)", arity: 1...1,
                documentation: Documentation(
                    "Reads and evaluates a file, once; its path is taken from the working directory.",
                    examples: ["(include \"helpers.meta\")"])
            ) { [unowned self] arguments, _ throws(Failure) in
                try include(try arguments.string(0))
            })
        machine.globals.define("args", .vector(Items(options.arguments.map(Value.text))))
        // Bytes that are no text stay what they are.
        machine.provide("stdin") { [unowned self] in
            let bytes = StandardInput.all(router)
            return String(validating: bytes, as: UTF8.self).map(Value.text) ?? .bytes(bytes)
        }
    }

    private func include(_ path: String) throws(Failure) -> Step {
        guard let bytes = Files.read(path) else {
            throw Failure("file/missing", "cannot read \(path): \(Files.errorText)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure("reader/utf8", "\(path) is not UTF-8")
        }
        guard let name = Files.identity(path), included.insert(name).inserted else { return .value(.null) }
        let source = Source(name: path, text: text)
        do throws(ReadError) {
            let forms = try Reader.read(source)
            return .call(router.machine.sequence(forms, source: source), [])
        } catch {
            included.remove(name)
            throw router.machine.failure(Diagnostic(error.failure, source: source))
        }
    }
}
