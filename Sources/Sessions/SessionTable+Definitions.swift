import Glibc
import Kernels

/// Sessions whose kernel is a program of the user's.
extension SessionTable {
    /// What the session of exactly that name is made of; nil where there is none.
    public func launch(of name: String) -> Launch? { entries.first { $0.name == name }?.launch }

    /// The sessions' names, those that meta brings first.
    public var names: [String] { entries.map(\.name) }

    /// Whether the session has a process, ready or not.
    public func isRunning(_ name: String) -> Bool { entries.contains { $0.name == name && $0.child != nil } }

    /// Finds the program that a launch would run, and runs nothing.
    ///
    /// - Throws: `session/missing`, `session/spawn`
    public func checkProgram(of launch: Launch) throws(SessionError) {
        _ = try interpreter(for: launch)
        guard let directory = launch.directory else { return }
        guard Files.status(directory)?.isDirectory == true else {
            throw SessionError(
                code: "session/spawn", message: "cannot start in directory \(directory): no such directory")
        }
    }
}

extension InterpreterFinder {
    /// Why the program of a command cannot be run.
    func refusal(of program: String) -> SessionError {
        guard program.contains("/") else {
            let beside = directory + "/" + program
            var help: [String] = []
            if Files.status(beside)?.isRegular == true {
                help = ["the file \(program) in this folder is meant by \"./\(program)\""]
            } else if program.contains(" ") {
                let words = program.split(separator: " ").map { "\"\($0)\"" }.joined(separator: " ")
                help = ["words stand apart: :command [\(words)]"]
            }
            return SessionError(
                code: "session/missing",
                message: "program not found on PATH: \(program.isEmpty ? "an empty name" : program)",
                help: help)
        }
        guard let status = Files.status(absolute(program)) else {
            return SessionError(code: "session/missing", message: "no such program: \(program)")
        }
        guard status.isRegular else {
            return SessionError(code: "session/spawn", message: "cannot run \(program): not a file")
        }
        return SessionError(
            code: "session/spawn", message: "cannot run \(program): not executable", help: ["chmod +x \(program)"])
    }
}
