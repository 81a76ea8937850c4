import CSystem
import Glibc

/// Everything that a child is started with.
struct Spawn {
    var path: String
    var arguments: [String]
    var environment: [String]
    var directory: String?
    /// Bytes; 0 leaves the limit as it is.
    var memoryLimit: UInt64 = 0
    /// A program that is used to deep recursion expects the usual 8 MiB, whatever meta itself runs with.
    var stackLimit: UInt64 = 8 << 20

    /// Starts the child with `descriptors` as its 0…4, from the calling thread: the child dies with that thread.
    func start(descriptors: [Int32], guardPipe: Int32) throws(SessionError) -> pid_t {
        var request = meta_spawn_request()
        request.stack_limit = stackLimit
        request.memory_limit = memoryLimit
        request.guard = guardPipe
        withUnsafeMutableBytes(of: &request.descriptors) { numbers in
            let slots = numbers.bindMemory(to: Int32.self)
            for index in slots.indices { slots[index] = index < descriptors.count ? descriptors[index] : -1 }
        }
        let result = Self.withCStrings([path] + arguments) { arguments in
            Self.withCStrings(environment) { environment in
                path.withCString { path in
                    Self.withOptionalCString(directory) { directory in
                        request.path = path
                        request.arguments = arguments
                        request.environment = environment
                        request.directory = directory
                        return meta_spawn(&request)
                    }
                }
            }
        }
        guard result.pid > 0 else { throw failure(result) }
        return result.pid
    }

    private func failure(_ result: meta_spawn_result) -> SessionError {
        let reason = errorText(result.error)
        return switch result.stage {
        case META_SPAWN_DIRECTORY:
            SessionError(code: "session/spawn", message: "cannot start in directory \(directory ?? "."): \(reason)")
        case META_SPAWN_EXEC:
            SessionError(code: "session/spawn", message: "cannot run \(path): \(reason)")
        default:
            SessionError(code: "session/spawn", message: "cannot start a process for \(path): \(reason)")
        }
    }

    private static func withOptionalCString<T>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> T) -> T {
        guard let text else { return body(nil) }
        return text.withCString { body($0) }
    }

    /// `body` gets an array of C strings that ends with NULL.
    private static func withCStrings<T>(
        _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> T
    ) -> T {
        var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers)
    }
}
