import Kernels

/// What a session is made of: which kernel, in which interpreter, where, with what.
public struct Launch: Equatable, Sendable {
    public enum Kernel: Equatable, Sendable {
        /// A language that meta brings a kernel for, such as `py`; `interpreter` is a program's name or path, nil for
        /// the usual one, with arguments of its own behind it.
        case language(String, interpreter: [String]?)
        /// A program that is a kernel by itself, with its arguments.
        case command([String])
    }

    public var kernel: Kernel
    /// Changes to meta's own environment; nil removes a variable.
    public var environment: [String: String?]
    public var directory: String?
    /// Bytes of address space, nil for no limit.
    public var memoryLimit: UInt64?

    public init(
        _ kernel: Kernel, environment: [String: String?] = [:], directory: String? = nil, memoryLimit: UInt64? = nil
    ) {
        self.kernel = kernel
        self.environment = environment
        self.directory = directory
        self.memoryLimit = memoryLimit
    }

    public static func language(_ name: String) -> Launch { Launch(.language(name, interpreter: nil)) }
    public static func command(_ words: [String]) -> Launch { Launch(.command(words)) }

    /// The language as meta names it, or the program's name.
    public var language: String {
        switch kernel {
        case .language(let name, _): KernelLanguage.named(name)?.name ?? name
        case .command(let words): words.first?.split(separator: "/").last.map(String.init) ?? ""
        }
    }
}
