import CSystem
import Evaluator
import Glibc
import Language

/// `file.*`: whole files as texts, and directories. Every error names the path and the system's reason.
enum LibraryFiles {
    static func register(in machine: Machine) {
        registerReading(in: machine)
        registerWriting(in: machine)
        registerDirectories(in: machine)
    }

    private static func registerReading(in machine: Machine) {
        machine.add(
            "(file.read path)", 1...1, "The text of a file, which must be UTF-8.",
            example(#"(file.write p "hi") (file.read p)"#, #""hi""#)
        ) { arguments throws(Failure) in .text(try text(try arguments.path(0))) }
        machine.add(
            "(file.lines path)", 1...1, "The lines of a file, without their ends.",
            example(#"(file.write p "a\nb\n") (file.lines p)"#, #"["a" "b"]"#)
        ) { arguments throws(Failure) in
            .vector(Items(TextSearch.lines(try text(try arguments.path(0))).map(Value.text)))
        }
        machine.add(
            "(file.exists? path)", 1...1, "Whether there is a file or directory.", "(file.exists? \"/\") => true",
            lineage: .plain
        ) { arguments throws(Failure) in .bool(access(try arguments.path(0), F_OK) == 0) }
        machine.add(
            "(file.directory? path)", 1...1, "Whether there is a directory.", "(file.directory? \"/\") => true",
            lineage: .plain
        ) { arguments throws(Failure) in .bool(Files.status(try arguments.path(0)).map(isDirectory) ?? false) }
        machine.add(
            "(file.stat path)", 1...1,
            "What the system knows of a file: kind (file, directory, link or other), size in bytes, modified (seconds since 1970), mode, inode.",
            "(get (file.stat \"/\") :kind) => \"directory\""
        ) { arguments throws(Failure) in
            let path = try arguments.path(0)
            guard let status = Files.status(path) else { throw failure("stat", path) }
            return .object(
                Object([
                    "kind": .text(kind(status.st_mode)), "size": .int(Int(status.st_size)),
                    "modified": .double(Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9),
                    "mode": .int(Int(status.st_mode & 0o7777)), "inode": .int(Int(status.st_ino)),
                ]))
        }
    }

    private static func registerWriting(in machine: Machine) {
        machine.add(
            "(file.write path text)", 2...2,
            "Makes a file of a text: the old one stands until the new one is whole. Gives the path.",
            example(#"(path.name (file.write p "")) (file.exists? p)"#, "true")
        ) { arguments throws(Failure) in
            let path = try arguments.path(0)
            guard Files.replace(path, with: Array(try arguments.onlyString(1).utf8)) else {
                throw failure("write", path)
            }
            return arguments[0]
        }
        machine.add(
            "(file.append path text)", 2...2, "Puts a text at the end of a file, which is made when there is none.",
            example(#"(file.write p "a") (file.append p "b") (file.read p)"#, #""ab""#)
        ) { arguments throws(Failure) in
            let path = try arguments.path(0)
            guard Files.append(path, Array(try arguments.onlyString(1).utf8)) else { throw failure("append to", path) }
            return arguments[0]
        }
        machine.add(
            "(file.copy from to)", 2...2, "Copies a file; what was there before stands until the copy is whole.",
            example(#"(file.write p "a") (file.copy p (str p 2)) (file.read (file.rename (str p 2) p))"#, #""a""#)
        ) { arguments throws(Failure) in
            let (from, to) = (try arguments.path(0), try arguments.path(1))
            guard let bytes = Files.read(from) else { throw failure("read", from) }
            guard Files.replace(to, with: bytes) else { throw failure("write", to) }
            return arguments[1]
        }
        machine.add(
            "(file.rename from to)", 2...2, "Gives a file another path, in place of what was there.",
            example(#"(file.write p "a") (file.read (file.rename (file.rename p (str p 2)) p))"#, #""a""#)
        ) { arguments throws(Failure) in
            let (from, to) = (try arguments.path(0), try arguments.path(1))
            guard rename(from, to) == 0 else { throw failure("rename", from) }
            return arguments[1]
        }
        machine.add(
            "(file.remove path)", 1...1, "Removes a file or an empty directory. Gives whether there was one.",
            "(file.remove \"/tmp/no such file\") => false", lineage: .plain
        ) { arguments throws(Failure) in
            let path = try arguments.path(0)
            if remove(path) == 0 { return .bool(true) }
            guard meta_errno() == ENOENT else { throw failure("remove", path) }
            return .bool(false)
        }
    }

    private static func registerDirectories(in machine: Machine) {
        machine.add(
            "(file.list path)", 0...1, "The names in a directory, sorted; in the working directory without one.",
            "(includes? (file.list \"/\") \"tmp\") => true"
        ) { arguments throws(Failure) in
            let path = arguments.count == 1 ? try arguments.path(0) : "."
            guard let names = Files.names(in: path) else { throw failure("list", path) }
            return .vector(Items(names.map(Value.text)))
        }
        machine.add(
            "(file.make-directory path)", 1...1,
            "Makes a directory, and those it lies in; one that is there already is as good. Gives the path.",
            "(file.make-directory \"/tmp\") => \"/tmp\""
        ) { arguments throws(Failure) in
            let path = try arguments.path(0)
            var prefix = path.hasPrefix("/") ? "/" : ""
            for name in LibraryPaths.names(path) {
                prefix += name + "/"
                if mkdir(prefix, 0o777) != 0, meta_errno() != EEXIST { throw failure("make", path) }
            }
            guard Files.status(path).map(isDirectory) == true else {
                throw Failure("file/failed", "cannot make the directory \(path): something else is there")
            }
            return arguments[0]
        }
    }

    /// An example that works on a file of its own, `p`.
    private static func example(_ forms: String, _ result: String) -> String {
        #"(let (p "/tmp/meta-example") "# + forms + ") => " + result
    }

    private static func text(_ path: String) throws(Failure) -> String {
        guard let bytes = Files.read(path) else { throw failure("read", path) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(
                "file/encoding", "\(path) is not UTF-8: invalid byte at offset \(UTF8Check.offset(bytes))",
                help: "(sh:bytes \"cat …\") gives bytes")
        }
        return text
    }

    static func failure(_ verb: String, _ path: String) -> Failure {
        Failure(meta_errno() == ENOENT ? "file/missing" : "file/failed", "cannot \(verb) \(path): \(Files.errorText)")
    }

    private static func isDirectory(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }

    private static func kind(_ mode: mode_t) -> String {
        switch mode & S_IFMT {
        case S_IFREG: "file"
        case S_IFDIR: "directory"
        case S_IFLNK: "link"
        default: "other"
        }
    }
}

extension Files {
    static func status(_ path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    /// A sibling is written and takes the file's place at once. A file that is no plain one (a device, a pipe) is
    /// written to.
    static func replace(_ path: String, with bytes: [UInt8]) -> Bool {
        let old = status(path)
        if let old, old.st_mode & S_IFMT != S_IFREG { return write(path, bytes, O_WRONLY, 0) }
        // Through a link, so that the link stays one.
        let target = identity(path) ?? path
        let sibling = "\(target).meta-\(getpid())"
        guard write(sibling, bytes, O_WRONLY | O_CREAT | O_TRUNC, 0o666) else { return false }
        if let old { chmod(sibling, old.st_mode & 0o7777) }
        if rename(sibling, target) == 0 { return true }
        let reason = meta_errno()
        unlink(sibling)
        errno = reason
        return false
    }

    static func append(_ path: String, _ bytes: [UInt8]) -> Bool {
        write(path, bytes, O_WRONLY | O_CREAT | O_APPEND, 0o666)
    }

    private static func write(_ path: String, _ bytes: [UInt8], _ flags: Int32, _ mode: mode_t) -> Bool {
        let descriptor = open(path, flags | O_CLOEXEC, mode)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count < 0, meta_errno() != EINTR { return false }
            written += max(0, count)
        }
        return true
    }

    /// Sorted by Unicode scalar; nil on an error.
    static func names(in path: String) -> [String]? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [Key] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(Key(name)) }
        }
        return names.sorted().map(\.string)
    }
}
