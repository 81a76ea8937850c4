import CKernels

/// A kernel's source text, as it is embedded in this program, and the name it is written under.
public struct KernelFile: Sendable {
    public let name: String
    public let text: [UInt8]

    public static func all() -> [KernelFile] {
        texts.map { KernelFile(name: String(cString: $0.name), text: bytes($0)) }
    }

    private static var texts: [meta_kernel_file] { (0..<meta_kernel_file_count()).map(meta_kernel_file_at) }

    /// Names the folder that holds all the files: another content, another folder (FNV-1a, 64 bits, eight bytes a step:
    /// every start of a session asks).
    public static func contentHash() -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for text in texts {
            let bytes = UnsafeRawBufferPointer(start: text.bytes, count: text.count)
            for at in stride(from: 0, to: bytes.count - 7, by: 8) {
                hash = mix(hash, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
            }
            for byte in bytes.suffix(bytes.count % 8) { hash = mix(hash, UInt64(byte)) }
            hash = mix(hash, UInt64(text.count))
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The high half is folded in, since a product carries no bit downwards.
    private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word) &* 0x100_0000_01b3
        return product ^ (product >> 32)
    }

    private static func bytes(_ text: meta_kernel_file) -> [UInt8] {
        Array(UnsafeBufferPointer(start: text.bytes, count: text.count))
    }
}
