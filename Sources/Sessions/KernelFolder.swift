import Glibc
import Kernels

/// The folder that the kernel files lie in: written once for each content into the user's cache, so that Python can
/// keep its bytecode beside them; otherwise a private temporary one, removed when this goes.
final class KernelFolder {
    let path: String
    private let isTemporary: Bool

    init(environment: Environment) throws(SessionError) {
        if let cache = Files.cacheDirectory(environment) {
            let folder = cache + "/kernels-" + KernelFile.contentHash()
            if Self.isWhole(folder) || Self.publish(folder) && Self.removeOld(in: cache) {
                path = folder
                isTemporary = false
                return
            }
        }
        path = try Self.temporary(environment)
        isTemporary = true
    }

    deinit {
        guard isTemporary else { return }
        for file in KernelFile.all() { unlink(path + "/" + file.name) }
        Self.removeBytecode(path + "/__pycache__")
        rmdir(path)
    }

    /// The folder appears under its name with all its files or not at all, so its presence proves them.
    private static func isWhole(_ folder: String) -> Bool {
        guard let status = Files.status(folder, followingLinks: false) else { return false }
        // Whoever uses it says so once a day: what nobody has used for a month is removed.
        if status.modified < (time(nil) - 86_400) * 1_000_000_000 { utimensat(AT_FDCWD, folder, nil, 0) }
        return status.isDirectory && status.isPrivate
            && KernelFile.all().allSatisfy { Files.status(folder + "/" + $0.name)?.size == $0.text.count }
    }

    private static func publish(_ folder: String) -> Bool {
        let draft = "\(folder).\(getpid())"
        guard mkdir(draft, 0o700) == 0, fill(draft) else { return false }
        if rename(draft, folder) == 0 { return true }
        // Another meta was faster, or what is there is damaged: whole files replace it one by one.
        let repaired =
            Files.makePrivateDirectory(folder)
            && KernelFile.all().allSatisfy {
                Files.writeAtomically($0.text, to: folder + "/" + $0.name)
            }
        for file in KernelFile.all() { unlink(draft + "/" + file.name) }
        rmdir(draft)
        return repaired
    }

    private static func fill(_ folder: String) -> Bool {
        KernelFile.all().allSatisfy { Files.write($0.text, toNew: folder + "/" + $0.name) }
    }

    private static func temporary(_ environment: Environment) throws(SessionError) -> String {
        var template = Array(((environment["TMPDIR"] ?? "/tmp") + "/meta-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw .system("cannot make a temporary folder", errno) }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard fill(folder) else { throw .system("cannot write kernels to \(folder)", errno) }
        return folder
    }

    /// Takes away what an earlier meta left in the cache a month ago or more. Always true: nothing depends on it.
    private static func removeOld(in cache: String) -> Bool {
        let oldest = (time(nil) - 30 * 86_400) * 1_000_000_000
        for name in Files.names(in: cache) where name.hasPrefix("kernels-") {
            let folder = cache + "/" + name
            guard let status = Files.status(folder, followingLinks: false), status.isDirectory, status.isPrivate,
                status.modified < oldest
            else { continue }
            removeBytecode(folder + "/__pycache__")
            for name in Files.names(in: folder) { unlink(folder + "/" + name) }
            rmdir(folder)
        }
        return true
    }

    private static func removeBytecode(_ folder: String) {
        for name in Files.names(in: folder) where name.hasPrefix("_meta_") { unlink(folder + "/" + name) }
        rmdir(folder)
    }
}
