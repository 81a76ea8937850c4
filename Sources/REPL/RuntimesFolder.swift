import Glibc
import Language

/// The user's runtimes folder, `$XDG_CONFIG_HOME/meta/runtimes` or `~/.config/meta/runtimes`: each `name.json` in it holds
/// the fields of a definition, each other program in it is a kernel itself.
struct RuntimesFolder {
    let path: String
    private let names: [String]

    /// nil where there is no such folder: one system call.
    init?() {
        guard let path = Self.place, let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix("."), !name.hasSuffix("~") { names.append(name) }
        }
        self.path = path
        self.names = names.sorted()
    }

    private static var place: String? {
        if let folder = getenv("XDG_CONFIG_HOME").map({ String(cString: $0) }), folder.hasPrefix("/") {
            return folder + "/meta/runtimes"
        }
        return getenv("HOME").map { String(cString: $0) + "/.config/meta/runtimes" }
    }

    /// One file that defines a runtime.
    struct Entry {
        let path: String
        let folder: String
        let name: String
        let isDescription: Bool

        /// - Throws: `session/unsafe` for a file that others could have written, `session/definition` for one that
        ///   is no definition.
        func definition() throws(Failure) -> RuntimeDefinition {
            try RuntimesFolder.checkSafe(folder)
            try RuntimesFolder.checkSafe(path)
            guard isDescription else {
                return try RuntimeDefinition(name: name, fields: [("command", .text(path))], folder: folder)
            }
            guard let bytes = Files.read(path) else {
                throw Failure("session/definition", "cannot be read: \(Files.errorText)")
            }
            guard case .object(let object) = try JSON.parse(bytes) else {
                throw Failure(
                    "session/definition", "a definition is an object such as {\"command\": [\"lua\", \"kernel.lua\"]}")
            }
            return try RuntimeDefinition(name: name, fields: object.entries.map { ($0.string, $1) }, folder: folder)
        }
    }

    /// In the order of their names. A program beside a description of the same name is that description's business.
    var entries: [Entry] {
        let described = Set(names.filter { $0.hasSuffix(".json") }.map(Self.stem))
        return names.compactMap { name in
            let isDescription = name.hasSuffix(".json")
            let file = path + "/" + name
            guard isDescription || !described.contains(Self.stem(name)) && Self.isProgram(file) else { return nil }
            return Entry(path: file, folder: path, name: Self.stem(name), isDescription: isDescription)
        }
    }

    private static func stem(_ name: String) -> String {
        name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    }

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    /// What is defined here runs as the user: nobody else may have a say in it.
    fileprivate static func checkSafe(_ path: String) throws(Failure) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw Failure("session/definition", "cannot be read: \(Files.errorText)")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw Failure("session/unsafe", "not used, since \(path) belongs to another user")
        }
        guard status.st_mode & 0o002 == 0 else {
            throw Failure("session/unsafe", "not used, since everybody may write \(path)", help: "chmod o-w \(path)")
        }
    }
}
