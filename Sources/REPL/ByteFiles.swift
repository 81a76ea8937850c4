import CSystem
import Glibc
import Language

/// Bytes as files for those that can have no bytes: private temporary files, removed when this goes.
final class ByteFiles {
    private var paths: [String] = []
    /// What others' files belong to that must stay as long.
    private var kept: [AnyObject] = []

    deinit {
        for path in paths { unlink(path) }
    }

    func keep(_ owner: AnyObject) {
        kept.append(owner)
    }

    /// The path of a new file of mode 0600 with these bytes.
    ///
    /// - Throws: `file/write` with the system's reason; no file is left then.
    func path(of bytes: [UInt8]) throws(Failure) -> String {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let path = "\(folder)/meta-bytes-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        paths.append(path)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, meta_errno() != EINTR { throw failure(path) }
            rest = rest.dropFirst(max(0, count))
        }
        return path
    }

    private func failure(_ what: String) -> Failure {
        Failure("file/write", "cannot write \(what): \(Files.errorText)")
    }
}
