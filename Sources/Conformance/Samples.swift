import Language

/// Source texts in the kernel's language for what only its own code can show: printing, raising, running on. The
/// protocol's page tells what each must do.
public struct Samples {
    /// Where they come from, for the report.
    public let origin: String
    let texts: [String: String]
    /// Whether the language has no integral floats (JavaScript): `1.0` comes home as `1`.
    let mergesIntegralFloats: Bool
    /// Whether the language has no way to move a descriptor (Node).
    let cannotMoveDescriptors: Bool

    subscript(_ name: String) -> String? { texts[name] ?? (name == "raise object" ? texts["raise"] : nil) }

    /// - Throws: `json/…`, or `conformance/samples` for what is not an object of texts.
    public init(json: [UInt8], origin: String) throws(Failure) {
        guard case .object(let object) = try JSON.parse(json) else {
            throw Failure("conformance/samples", "\(origin): samples are an object of texts by name")
        }
        var texts: [String: String] = [:]
        var (merges, isFixed) = (false, false)
        for (name, value) in object.entries {
            switch (name.string, value) {
            case ("merges integral floats", .bool(let flag)): merges = flag
            case ("cannot move descriptors", .bool(let flag)): isFixed = flag
            case (let name, .string(let text)) where Self.names.contains(name): texts[name] = text.string
            default:
                throw Failure(
                    "conformance/samples", "\(origin): \(name.string) is no sample",
                    help: "there are: \(Self.names.joined(separator: ", "))")
            }
        }
        self.init(origin: origin, texts: texts, mergesIntegralFloats: merges, cannotMoveDescriptors: isFixed)
    }

    init(
        origin: String, texts: [String: String], mergesIntegralFloats: Bool = false, cannotMoveDescriptors: Bool = false
    ) {
        self.origin = origin
        self.texts = texts
        self.mergesIntegralFloats = mergesIntegralFloats
        self.cannotMoveDescriptors = cannotMoveDescriptors
    }

    /// Those of a language that meta brings, by what its hello says; nothing for others.
    public static func builtIn(_ language: String) -> Samples {
        switch language {
        case "py": Samples(origin: "built in", texts: python)
        case "js":
            Samples(origin: "built in", texts: javaScript, mergesIntegralFloats: true, cannotMoveDescriptors: true)
        case "sh": Samples(origin: "built in", texts: shell)
        default: Samples(origin: "none", texts: [:])
        }
    }

    static let names = [
        "sum", "value", "print", "keep", "kept", "busy", "wait", "raise", "raise object", "cause", "children",
        "exec log", "function",
        "own", "same", "list", "cycle", "deep", "call", "catch", "drop", "import", "complete", "named call",
        "array", "array sum",
    ]

    private static let python = [
        "sum": "6 * 7", "value": "x",
        "print": "import sys\nsys.stdout.write('to-stdout')\nsys.stderr.write('to-stderr')",
        "keep": "kept = 41", "kept": "kept + 1", "busy": "print('busy', flush=True)\nwhile True: pass",
        "wait": "import time\nprint('busy', flush=True)\ntime.sleep(60)",
        "raise": "a = 1\nraise ValueError('conformance boom')",
        "cause": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('conformance boom') from e",
        "children":
            "import subprocess\nsubprocess.run(['ls', '/proc/self/fd'], close_fds=False, capture_output=True, text=True).stdout",
        "exec log": "import os\nos.dup2(os.open('/dev/null', os.O_WRONLY), 3)\nos.dup2(3, 4)\n42",
        "function": "def own(a): return a", "own": "own", "same": "x is own", "list": "[1, 2, 3, 4, 5]",
        "cycle": "c = []\nc.append([1, c])\nc", "deep": "d = []\nfor _ in range(1001): d = [d]\nd", "call": "x(1)",
        "catch":
            "import meta\ntry:\n    r = x(1)\nexcept meta.Error as e:\n    r = '|'.join([e.code, e.type, e.message])\nr",
        "drop": "import gc\nx = None\ngc.collect()\n1", "import": "math", "complete": "impo",
        "array": "import array\narray.array('d', range(300))", "array sum": "float(sum(memoryview(x)))",
    ]

    private static let javaScript = [
        "sum": "6 * 7", "value": "x",
        "print": "process.stdout.write('to-stdout'); process.stderr.write('to-stderr'); 1",
        "keep": "var kept = 41", "kept": "kept + 1", "busy": "console.log('busy'); while (true);",
        "wait": "console.log('busy'); await new Promise(done => setTimeout(done, 60000))",
        "raise": "var a = 1\nthrow new RangeError('conformance boom')",
        "cause": "throw new RangeError('conformance boom', {cause: new TypeError('inner')})",
        "children":
            "require('child_process').spawnSync('ls', ['/proc/self/fd'], {stdio: ['ignore', 'pipe', 'inherit']}).stdout.toString()",
        "function": "var own = a => a; 1", "own": "own", "same": "x === own", "list": "[1, 2, 3, 4, 5]",
        "cycle": "var c = []; c.push([1, c]); c", "deep": "var d = []; for (let i = 0; i < 1001; i++) d = [d]; d",
        "call": "x(1)",
        "catch":
            "var r; try { r = x(1) } catch (e) { r = e instanceof meta.Error ? [e.code, e.type, e.message].join('|') : String(e) } r",
        "import": "os", "complete": "Obj", "array": "Float64Array.from({length: 300}, (_, i) => i)",
        "array sum": "x.reduce((a, b) => a + b, 0.0)",
    ]

    private static let shell = [
        "sum": "printf 42", "value": "printf %s \"$x\"", "print": "printf to-stdout; printf to-stderr >&2",
        "keep": "kept=41", "kept": "printf $((kept + 1))", "busy": "echo busy; while :; do :; done",
        "wait": "echo busy; sleep 60", "children": "ls /proc/self/fd",
        "exec log": "exec 3>/dev/null 4>/dev/null; printf 42",
        "complete": "ech",
    ]
}
