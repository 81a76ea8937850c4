import Kernels

/// What a kernel's interpreter calls the user's code in its messages, and what a user calls it.
struct SourceName {
    let given: [UInt8]
    let told: [UInt8]

    /// bash runs the user's code as a file of the kernel's, and starts its messages with that file's name.
    static let shell = SourceName(given: Array("/dev/fd/12: line ".utf8), told: Array("sh: line ".utf8))

    /// Interpreters write the start of a message at once, so it is whole in what one read returns.
    func replaced(in bytes: [UInt8]) -> [UInt8] {
        bytes.replacing(given, with: told)
    }
}

extension KernelLanguage {
    var sourceName: SourceName? { outputIsResult ? .shell : nil }
}
