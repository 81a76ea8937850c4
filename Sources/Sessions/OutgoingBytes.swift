import CSystem

/// What a session has been sent but its socket has not taken yet.
struct OutgoingBytes {
    private var chunks: [[UInt8]] = []
    private var sentOfFirst = 0

    var isEmpty: Bool { chunks.isEmpty }

    /// Small pieces go as one.
    private static let pieceLimit = 1 << 16

    mutating func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if let last = chunks.last?.count, last + bytes.count <= Self.pieceLimit {
            chunks[chunks.count - 1] += bytes
        } else {
            chunks.append(bytes)
        }
    }

    /// Sends what the socket takes without blocking. False when the other end is gone.
    mutating func send(to socket: Int32) -> Bool {
        while let chunk = chunks.first {
            let sent = chunk.withUnsafeBytes { bytes in
                meta_send(socket, bytes.baseAddress?.advanced(by: sentOfFirst), bytes.count - sentOfFirst)
            }
            guard sent >= 0 else { return sent == -1 }
            sentOfFirst += sent
            guard sentOfFirst == chunk.count else { continue }
            chunks.removeFirst()
            sentOfFirst = 0
        }
        return true
    }
}
