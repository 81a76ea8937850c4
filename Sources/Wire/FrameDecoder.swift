/// Turns a stream of bytes into frames, whatever the pieces it arrives in.
///
/// A body is copied once, straight into its own array, however large it is; what a hostile length announces is not
/// reserved before its bytes arrive.
public struct FrameDecoder: Sendable {
    private enum Stage { case prefix, header, body }

    private var stage = Stage.prefix
    private var prefix: [UInt8] = []
    private var header: [UInt8] = []
    private var body: [UInt8] = []
    private var headerCount = 0
    private var bodyCount = 0

    /// No more than this is reserved for a body that has only been announced.
    private static let largestReservation = 16 << 20

    public init() {
        prefix.reserveCapacity(Frame.prefixLength)
    }

    /// Whether the stream may end here without cutting a frame in two.
    public var isAtBoundary: Bool { stage == .prefix && prefix.isEmpty }

    /// Takes `bytes` in and appends every frame that they complete to `frames`.
    /// - Throws: `WireError` at the first byte that no frame could hold; the decoder is of no use afterwards.
    public mutating func take(_ bytes: UnsafeRawBufferPointer, into frames: inout [Frame]) throws(WireError) {
        var rest = bytes[...]
        while !rest.isEmpty || isComplete {
            switch stage {
            case .prefix:
                move(Frame.prefixLength - prefix.count, of: &rest, to: &prefix)
                if prefix.count == Frame.prefixLength { try readCounts() } else { try checkPrefix() }
            case .header:
                move(headerCount - header.count, of: &rest, to: &header)
                if header.count == headerCount { stage = .body }
            case .body:
                move(bodyCount - body.count, of: &rest, to: &body)
                if body.count == bodyCount { finish(&frames) }
            }
        }
    }

    /// A part of zero bytes is complete without further input.
    private var isComplete: Bool {
        switch stage {
        case .prefix: false
        case .header: header.count == headerCount
        case .body: body.count == bodyCount
        }
    }

    private func move(_ count: Int, of rest: inout Slice<UnsafeRawBufferPointer>, to part: inout [UInt8]) {
        let piece = rest.prefix(count)
        part.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece))
        rest = rest.dropFirst(piece.count)
    }

    private func checkPrefix() throws(WireError) {
        guard prefix.allSatisfy({ Self.digit($0) != nil }) else { throw .notAFrame(first: prefix) }
    }

    private mutating func readCounts() throws(WireError) {
        var counts = (0, 0)
        for (index, byte) in prefix.enumerated() {
            guard let digit = Self.digit(byte) else { throw .notAFrame(first: prefix) }
            if index < 8 { counts.0 = counts.0 << 4 | digit } else { counts.1 = counts.1 << 4 | digit }
        }
        guard counts.0 <= Frame.headerLimit else {
            throw .tooLarge(part: .header, count: counts.0, limit: Frame.headerLimit)
        }
        guard counts.1 <= Frame.bodyLimit else {
            throw .tooLarge(part: .body, count: counts.1, limit: Frame.bodyLimit)
        }
        (headerCount, bodyCount) = counts
        header.reserveCapacity(headerCount)
        body.reserveCapacity(min(bodyCount, Self.largestReservation))
        stage = .header
    }

    private mutating func finish(_ frames: inout [Frame]) {
        frames.append(Frame(header: header, body: body))
        prefix.removeAll(keepingCapacity: true)
        header = []
        body = []
        stage = .prefix
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case 48...57: Int(byte) - 48
        case 97...102: Int(byte) - 87
        default: nil
        }
    }
}
