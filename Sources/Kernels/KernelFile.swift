import CKernels

/// A kernel's source text, as it is embedded in this program, and the name it is written under.
public struct KernelFile: Sendable {
    public let name: String
    public let text: [UInt8]

    public static func all() -> [KernelFile] {
        [
            KernelFile(name: "_meta_kernel.py", text: bytes(meta_kernel_python())),
            KernelFile(name: "kernel.js", text: bytes(meta_kernel_node())),
            KernelFile(name: "kernel.sh", text: bytes(meta_kernel_shell())),
        ]
    }

    /// Names the folder that holds all the files: another content, another folder (FNV-1a, 64 bits).
    public static func contentHash() -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for text in [meta_kernel_python(), meta_kernel_node(), meta_kernel_shell()] {
            for index in 0..<text.count { hash = (hash ^ UInt64(text.bytes[index])) &* 0x100_0000_01b3 }
            hash = (hash ^ UInt64(text.count)) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func bytes(_ text: meta_kernel_text) -> [UInt8] {
        Array(UnsafeBufferPointer(start: text.bytes, count: text.count))
    }
}
