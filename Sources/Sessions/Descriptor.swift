import CSystem
import Glibc

/// An open descriptor, or none (-1); closed when it goes.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Takes over an open descriptor.
    init(owning number: Int32) {
        self.number = number
    }

    /// Nothing; putting it in another's place closes that one.
    static var closed: Descriptor { Descriptor(owning: -1) }

    deinit {
        if number >= 0 { close(number) }
    }
}

/// The two ends of a socket pair or of a child's output pipe; ours does not block.
struct Channel: ~Copyable {
    let parent: Descriptor
    let child: Descriptor

    static func socket() throws(SessionError) -> Channel { try Channel(meta_socket_pair()) }
    static func output() throws(SessionError) -> Channel { try Channel(meta_output_pipe()) }

    private init(_ channel: meta_channel) throws(SessionError) {
        guard channel.error == 0 else { throw .system("cannot open a channel to a session", channel.error) }
        parent = Descriptor(owning: channel.parent)
        child = Descriptor(owning: channel.child)
    }

    /// Closes the child's end and gives up ours.
    consuming func takeParent() -> Descriptor { parent }
}
