import Glibc
import Sessions

/// Programs that read the terminal (`input()`, `read`): the system stops who reads it from the background, and meta
/// then lends it until the request has its answer.
extension Router {
    /// Lends the terminal to sessions from now on.
    func shareTerminal(_ descriptor: Int32) {
        sessions.terminal = descriptor
        sessions.watch(SIGCHLD)
    }

    func serveStopped() {
        for (session, signal) in sessions.takeStopped() {
            switch signal {
            case SIGTTIN, SIGTTOU: lend(to: session)
            case SIGTSTP where foreground == session: suspend(with: session)
            default: stopped.insert(session)
            }
        }
    }

    func takeTerminalBack(from session: String) {
        guard foreground == session else { return }
        foreground = nil
        sessions.takeTerminal()
        // A program that was interrupted while it asked for a password leaves the echo off.
        if var modes = loan { tcsetattr(STDIN_FILENO, TCSADRAIN, &modes) }
        loan = nil
    }

    private func lend(to session: String) {
        // One that reads while nobody waits for it goes on with its next request; one that works for a future, when no
        // line is being typed.
        guard sessions.isBusy(session), console.interceptor == nil else {
            stopped.insert(session)
            return
        }
        if foreground == nil {
            var modes = termios()
            loan = tcgetattr(STDIN_FILENO, &modes) == 0 ? modes : nil
        }
        foreground = session
        // What it printed before it read, such as a question, stands in front of what is typed.
        for event in sessions.wait(until: .now) { take(event) }
        console.noteLoan()
        sessions.giveTerminal(to: session)
    }

    /// Ctrl-Z while a session has the terminal: meta stops with it, and both go on together.
    private func suspend(with session: String) {
        sessions.takeTerminal()
        kill(getpid(), SIGSTOP)
        sessions.giveTerminal(to: session)
    }
}
