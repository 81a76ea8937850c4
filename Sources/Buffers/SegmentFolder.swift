import CSystem
import Glibc
import Language

/// The folder that segments live in. It believes no name: what it removes is a regular file of this user.
struct SegmentFolder {
    static let sharedMemory = "/dev/shm"

    let path: String

    func path(_ name: String) -> String { "\(path)/\(name)" }

    /// The names with that beginning, in no order; none where the folder cannot be read.
    func names(prefix: String) -> [String] {
        guard let folder = meta_folder_open(path) else { return [] }
        defer { meta_folder_close(folder) }
        var names: [String] = []
        while let name = meta_folder_next(folder, prefix) { names.append(String(cString: name)) }
        return names
    }

    /// The bare facts of a file of this user, links not followed; nil for anything else.
    func facts(_ name: String) -> stat? {
        var facts = stat()
        guard lstat(path(name), &facts) == 0, facts.isOwnFile else { return nil }
        return facts
    }

    /// Whether anything has that name.
    func holds(_ name: String) -> Bool {
        var facts = stat()
        return lstat(path(name), &facts) == 0
    }

    /// Takes away a file of this user, and nothing else.
    @discardableResult func remove(_ name: String) -> Bool {
        facts(name) != nil && unlink(path(name)) == 0
    }

    /// A file of this user, open for reading; nil when there is none, or something else has its name.
    func open(_ name: String) -> Descriptor? {
        let descriptor = Descriptor(owning: meta_file_open(path(name), 0))
        guard descriptor.number >= 0, descriptor.facts?.isOwnFile == true else { return nil }
        return descriptor
    }

    /// Whether the name still is the open file's.
    func isCurrent(_ name: String, _ descriptor: borrowing Descriptor) -> Bool {
        guard let open = descriptor.facts, let named = facts(name) else { return false }
        return open.st_ino == named.st_ino && open.st_dev == named.st_dev
    }
}

/// An open file, closed when it goes.
struct Descriptor: ~Copyable {
    /// -1 for none.
    let number: Int32

    init(owning number: Int32) {
        self.number = number
    }

    var facts: stat? {
        var facts = stat()
        return fstat(number, &facts) == 0 ? facts : nil
    }

    deinit {
        if number >= 0 { close(number) }
    }
}

extension stat {
    var isRegular: Bool { st_mode & S_IFMT == S_IFREG }
    var isOwnFile: Bool { isRegular && st_uid == geteuid() }
    /// When anything about the file changed last, in seconds since 1970.
    var lastChange: Int { max(st_mtim.tv_sec, st_ctim.tv_sec) }
}

extension Failure {
    /// What the system said to an attempt on a segment or file.
    static func system(_ attempt: String, _ error: Int32 = errno) -> Failure {
        let reason = String(cString: strerror(error)).lowercased()
        switch error {
        case ENOSPC, EDQUOT: return Failure("buffer/full", "\(attempt): \(reason)")
        case ENOENT: return Failure("buffer/stale", "\(attempt): \(reason)")
        default: return Failure("buffer/system", "\(attempt): \(reason)")
        }
    }
}
