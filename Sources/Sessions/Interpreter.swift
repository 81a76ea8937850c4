import CSystem
import Glibc
import Kernels

/// A program that runs a language, and its version where it has been asked.
struct Interpreter: Equatable {
    let path: String
    let version: String?
}

/// Finds the interpreters that the user means.
///
/// A version manager's shim costs 60–100 ms at each start, so what looks like one is asked once for the program behind
/// it, and the answer is kept on disk for as long as everything that decides it is the same.
struct InterpreterFinder {
    let environment: Environment
    let directory: String

    /// - Throws: `session/missing`, `session/too-old`, `session/spawn`
    func find(_ language: KernelLanguage, chosen: String? = nil) throws(SessionError) -> Interpreter {
        let wanted = chosen ?? environment[language.choice]
        guard let found = locate(wanted.map { [$0] } ?? language.programs) else {
            throw missing(language, wanted: wanted)
        }
        guard looksLikeShim(found) else { return Interpreter(path: found, version: nil) }
        let answer = if let known = remembered(found) { known } else { try ask(found, language) }
        if let version = answer.version.flatMap({ Version($0) }), version < language.minimum {
            throw tooOld(language, found: answer)
        }
        return answer
    }

    /// The first of `names` that can be run: a path as it is, a bare name from PATH.
    func locate(_ names: [String]) -> String? {
        for name in names {
            let candidates = name.contains("/") ? [absolute(name)] : searchPath.map { $0 + "/" + name }
            if let found = candidates.first(where: isProgram) { return found }
        }
        return nil
    }

    private var searchPath: [String] {
        (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").map { absolute(String($0)) }
    }

    func absolute(_ path: String) -> String {
        if path.hasPrefix("~/"), let home = environment["HOME"] { return home + path.dropFirst() }
        return path.hasPrefix("/") ? path : directory + "/" + path
    }

    private func isProgram(_ path: String) -> Bool {
        access(path, X_OK) == 0 && Files.status(path)?.isRegular == true
    }

    private func looksLikeShim(_ path: String) -> Bool {
        path.contains("/shims/") || Files.read(path, limit: 2) == [35, 33]
    }

    func tooOld(_ language: KernelLanguage, found: Interpreter) -> SessionError {
        SessionError(
            code: "session/too-old",
            message: "\(language.title) \(language.minimum) or later is needed, "
                + "\(found.path) is \(found.version ?? "of unknown version")",
            help: [
                "install it: \(language.installation)",
                "or choose another: \(language.choice)=/path/to/\(language.programs[0])",
            ])
    }

    private func missing(_ language: KernelLanguage, wanted: String?) -> SessionError {
        let names = wanted.map { [$0] } ?? language.programs
        let places = names.contains { !$0.contains("/") } ? " in \(searchPath.joined(separator: ", "))" : ""
        return SessionError(
            code: "session/missing",
            message: "\(language.title) not found: looked for \(names.joined(separator: ", "))\(places)",
            help: [
                "install it: \(language.installation)",
                "or choose one: \(language.choice)=/path/to/\(language.programs[0])",
            ])
    }

    // MARK: Asking, and remembering the answer

    private func ask(_ path: String, _ language: KernelLanguage) throws(SessionError) -> Interpreter {
        let printed = try run(path, language.question)
        let lines = String(decoding: printed, as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count >= 2, isProgram(lines[lines.count - 2]) else {
            throw SessionError(
                code: "session/spawn",
                message: "\(path) does not answer like \(language.title): asked for its path and version, it printed "
                    + (lines.first.map { "'\($0.prefix(80))'" } ?? "nothing"))
        }
        let answer = Interpreter(path: lines[lines.count - 2], version: lines[lines.count - 1])
        remember(answer, for: path)
        return answer
    }

    /// Everything that a shim's choice depends on.
    private func key(_ path: String) -> String {
        let status = Files.status(path)
        let parts = [
            path, String(status?.modified ?? 0), String(status?.size ?? 0), environment["PATH"] ?? "",
            environment["VIRTUAL_ENV"] ?? "", environment["PYENV_VERSION"] ?? "", environment["NODENV_VERSION"] ?? "",
            versionFile ?? "",
        ]
        return parts.joined(separator: "\u{1f}").split(separator: "\n").joined(separator: " ")
    }

    /// Path, time and content of the nearest `.python-version` or its likes.
    private var versionFile: String? {
        var folder = directory
        while true {
            for name in [".python-version", ".node-version", ".nvmrc", ".tool-versions"] {
                let path = folder + "/" + name
                if let status = Files.status(path) {
                    return "\(path) \(status.modified) \(String(decoding: Files.read(path) ?? [], as: UTF8.self))"
                }
            }
            guard let slash = folder.lastIndex(of: "/"), slash != folder.startIndex else { return nil }
            folder = String(folder[..<slash])
        }
    }

    private func memory(_ key: String) -> String? {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Files.cacheDirectory(environment).map { "\($0)/interpreter-\(String(hash, radix: 16))" }
    }

    private func remembered(_ path: String) -> Interpreter? {
        let key = key(path)
        guard let file = memory(key), Files.status(file)?.isPrivate == true, let bytes = Files.read(file) else {
            return nil
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count == 3, lines[0] == key, isProgram(lines[1]) else { return nil }
        return Interpreter(path: lines[1], version: lines[2])
    }

    private func remember(_ answer: Interpreter, for path: String) {
        let key = key(path)
        guard let file = memory(key) else { return }
        _ = Files.writeAtomically(Array("\(key)\n\(answer.path)\n\(answer.version ?? "")\n".utf8), to: file)
    }

    /// What the program prints, within 10 s.
    private func run(_ path: String, _ arguments: [String]) throws(SessionError) -> [UInt8] {
        let channel = try Channel.output()
        let null = Descriptor(owning: open("/dev/null", O_RDWR | O_CLOEXEC))
        let spawn = Spawn(path: path, arguments: arguments, environment: environment.entries, directory: directory)
        let pid = try spawn.start(descriptors: [null.number, channel.child.number, null.number], guardPipe: -1)
        let output = channel.takeParent()
        defer {
            kill(-pid, SIGKILL)
            meta_wait(pid)
        }
        var printed: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline, printed.count < 1 << 16 {
            var waiting = pollfd(fd: output.number, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, 100)
            let count = meta_read(output.number, &buffer, buffer.count)
            if count > 0 { printed += buffer.prefix(count) }
            if count == 0 || count == -2 { return printed }
        }
        return printed
    }
}
