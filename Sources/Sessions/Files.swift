import Glibc

/// The few file operations that the caches need, without Foundation's cost at start-up.
enum Files {
    /// What a symbolic link points to.
    static func link(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &bytes, bytes.count - 1)
        return count < 0 ? nil : String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    struct Status {
        let size: Int
        let owner: uid_t
        let mode: mode_t
        /// Nanoseconds.
        let modified: Int

        var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
        var isRegular: Bool { mode & S_IFMT == S_IFREG }
        /// Whether nobody but this user can change it.
        var isPrivate: Bool { owner == geteuid() && mode & 0o022 == 0 }
    }

    static func status(_ path: String, followingLinks: Bool = true) -> Status? {
        var info = stat()
        let failed = followingLinks ? stat(path, &info) : lstat(path, &info)
        guard failed == 0 else { return nil }
        return Status(
            size: Int(info.st_size), owner: info.st_uid, mode: info.st_mode,
            modified: info.st_mtim.tv_sec * 1_000_000_000 + info.st_mtim.tv_nsec)
    }

    /// At most `limit` bytes; nil when the file cannot be read.
    static func read(_ path: String, limit: Int = 1 << 16) -> [UInt8]? {
        let file = Descriptor(owning: open(path, O_RDONLY | O_CLOEXEC))
        guard file.number >= 0 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            count = max(0, Glibc.read(file.number, buffer.baseAddress, limit))
        }
    }

    /// Writes beside `path` and renames, so that no reader sees a half.
    static func writeAtomically(_ bytes: [UInt8], to path: String) -> Bool {
        let draft = "\(path).\(getpid())"
        guard write(bytes, toNew: draft) else { return false }
        guard rename(draft, path) == 0 else {
            unlink(draft)
            return false
        }
        return true
    }

    static func write(_ bytes: [UInt8], toNew path: String) -> Bool {
        let file = Descriptor(owning: open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600))
        guard file.number >= 0 else { return false }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(file.number, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    /// Makes a directory and those above it, each for this user only; whether it is there and private afterwards.
    static func makePrivateDirectory(_ path: String) -> Bool {
        if let status = status(path, followingLinks: false) { return status.isDirectory && status.isPrivate }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            let above = String(path[..<slash])
            if status(above) == nil { _ = makePrivateDirectory(above) }
        }
        return mkdir(path, 0o700) == 0 || errno == EEXIST && status(path)?.isPrivate == true
    }

    /// What a directory holds, `.` and `..` left out; nothing when it cannot be read.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// meta's folder in the user's cache, or nil when there is none to write to.
    static func cacheDirectory(_ environment: Environment) -> String? {
        let base = environment["XDG_CACHE_HOME"] ?? environment["HOME"].map { $0 + "/.cache" }
        guard let base, base.hasPrefix("/") else { return nil }
        let folder = base + "/meta"
        return makePrivateDirectory(folder) ? folder : nil
    }
}
