/// A language that meta brings a kernel for: what its interpreter is called, and how the kernel is launched in it.
public struct KernelLanguage: Sendable {
    public let name: String
    public let aliases: [String]
    /// What a person calls the interpreter: "Python".
    public let title: String
    /// Looked for on PATH, the first that is there.
    public let programs: [String]
    /// Environment variable that names another interpreter.
    public let choice: String
    public let minimum: Version
    /// Installs the interpreter on Debian and Ubuntu.
    public let installation: String
    /// Whether the kernel speaks plain fields instead of JSON.
    public let isPlain: Bool
    /// Whether what a request writes to standard output is its result.
    public let outputIsResult: Bool
    /// Arguments that make the interpreter print its own path (never resolved: that would lose a virtual environment)
    /// and its version, each on a line.
    public let question: [String]

    /// Everything behind the interpreter's own path, given the folder that holds the kernel files.
    public func arguments(kernels folder: String) -> [String] {
        switch name {
        case "py": ["-c", Self.pythonLoader, folder]
        case "js": ["--no-warnings", folder + "/kernel.js"]
        default: ["--norc", "--noprofile", "-c", Self.shellLoader, "sh", folder + "/kernel.sh"]
        }
    }

    /// Imports the kernel as a module, so that its bytecode is cached, with no folder of the user's in front: a user's
    /// `json.py` must not become the kernel's. Leaves `sys.path` and `sys.argv` as `python3 -c` has them.
    private static let pythonLoader = """
        import sys
        d=sys.argv.pop(1);p=sys.path[:];sys.path[:]=[d]+[x for x in p if x]
        w=sys.dont_write_bytecode;sys.dont_write_bytecode=False
        import _meta_kernel
        sys.dont_write_bytecode=w;sys.path[:]=p;del d,p,w
        _meta_kernel.main()
        """

    /// Runs the kernel's loop outside of the kernel's file, so that bash's messages start with its `$0`: `sh: line 1:`.
    private static let shellLoader = #". "$1"; builtin eval "$__meta_main""#

    public static let python = KernelLanguage(
        name: "py", aliases: ["python"], title: "Python", programs: ["python3", "python"], choice: "META_PYTHON",
        minimum: Version(3, 10), installation: "apt install python3", isPlain: false, outputIsResult: false,
        question: ["-c", "import sys;print(sys.executable);print('%d.%d.%d'%sys.version_info[:3])"])
    public static let node = KernelLanguage(
        name: "js", aliases: ["node"], title: "Node", programs: ["node", "nodejs"], choice: "META_NODE",
        minimum: Version(18), installation: "apt install nodejs", isPlain: false, outputIsResult: false,
        question: ["-p", "process.execPath+'\\n'+process.versions.node"])
    public static let shell = KernelLanguage(
        name: "sh", aliases: ["bash", "shell"], title: "bash", programs: ["bash"], choice: "META_BASH",
        minimum: Version(5), installation: "apt install bash", isPlain: true, outputIsResult: true,
        question: ["-c", "printf '%s\\n%s\\n' \"$BASH\" \"${BASH_VERSION%%(*}\""])

    public static let all: [KernelLanguage] = [python, node, shell]

    /// The language that `name` or one of its aliases stands for.
    public static func named(_ name: String) -> KernelLanguage? {
        all.first { $0.name == name || $0.aliases.contains(name) }
    }
}

/// Numbers of a release; what is behind the first two (`-rc1`, patch) does not decide.
public struct Version: Comparable, Sendable, CustomStringConvertible {
    public let major: Int
    public let minor: Int

    public init(_ major: Int, _ minor: Int = 0) {
        self.major = major
        self.minor = minor
    }

    /// Reads `3.11.7`, `v20.20.2`, `5.2.15(1)-release`; nil without a leading number.
    public init?(_ text: String) {
        let numbers = text.drop { $0 == "v" }.split(separator: ".").map { $0.prefix { $0.isNumber } }
        guard let first = numbers.first, let major = Int(first) else { return nil }
        self.init(major, numbers.count > 1 ? Int(numbers[1]) ?? 0 : 0)
    }

    public static func < (a: Version, b: Version) -> Bool { (a.major, a.minor) < (b.major, b.minor) }
    public var description: String { minor == 0 ? String(major) : "\(major).\(minor)" }
}
