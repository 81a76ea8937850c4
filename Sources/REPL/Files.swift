import CSystem
import Glibc
import Sessions

/// Whole files.
enum Files {
    /// The file's bytes; nil with the reason in `errorText`.
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while let chunk = chunk(descriptor) {
            if chunk.isEmpty { return bytes }
            bytes += chunk
        }
        return nil
    }

    /// Up to 64 KiB; empty at the end, nil on an error.
    static func chunk(_ descriptor: Int32) -> [UInt8]? {
        while true {
            var failed = false
            let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
                let result = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                failed = result < 0
                count = max(0, result)
            }
            if !failed { return bytes }
            if meta_errno() != EINTR { return nil }
        }
    }

    static var errorText: String { text(of: meta_errno()) }

    static func text(of error: Int32) -> String {
        strerror(error).map { String(cString: $0) } ?? "error \(error)"
    }

    /// The one path of a file, through links.
    static func identity(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// Descriptor 0, read while sessions are served.
enum StandardInput {
    /// What has come, at least a byte; nil at the end.
    static func next(_ router: Router) -> [UInt8]? {
        while router.ending == nil {
            var isReadable = false
            for event in router.sessions.wait(alsoReadable: [STDIN_FILENO]) {
                if case .readable(STDIN_FILENO) = event {
                    isReadable = true
                } else {
                    router.take(event)
                }
            }
            if router.wasInterrupted { return nil }
            guard isReadable else { continue }
            guard let chunk = Files.chunk(STDIN_FILENO), !chunk.isEmpty else { return nil }
            return chunk
        }
        return nil
    }

    static func all(_ router: Router) -> [UInt8] {
        var bytes: [UInt8] = []
        while let chunk = next(router) { bytes += chunk }
        return bytes
    }
}

/// A file read at once, for the command line.
public enum WholeFile {
    /// nil when it cannot be read.
    public static func read(_ path: String) -> [UInt8]? { Files.read(path) }
}
