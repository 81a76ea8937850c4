import Glibc

extension Editor {
    /// The wait of an owner that has nothing else to wait for.
    public static func waitForInput(signals: Int32) -> Wakening {
        var watched = [
            pollfd(fd: 0, events: Int16(POLLIN), revents: 0), pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&watched, 2, -1) > 0 else { return .signal }
        return watched[1].revents != 0 ? .signal : .input
    }
}
