// Signals while a text is edited. Handlers only do what is async-signal-safe: write, tcsetattr, sigaction, raise.
#define _GNU_SOURCE
#include "CEditLine.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

static const int told[] = {SIGWINCH, SIGTSTP, SIGCONT};
static const int fatal[] = {SIGTERM, SIGHUP, SIGQUIT};
enum { TOLD = sizeof told / sizeof *told, FATAL = sizeof fatal / sizeof *fatal };

// Rule: written only by cel_signals_begin, before the handlers that read them stand.
static struct sigaction earlier_told[TOLD], earlier_fatal[FATAL];
static struct termios cooked;
static int wake_descriptor = -1;

static void tell(int signal) {
    int saved = errno;
    char letter = signal == SIGWINCH ? 'W' : signal == SIGTSTP ? 'Z' : 'C';
    // The pipe does not block; when it is full the reader is awake anyway.
    (void)!write(wake_descriptor, &letter, 1);
    errno = saved;
}

static void restore_and_repeat(int signal) {
    static const char paste_off[] = "\033[?2004l\r\n";
    (void)!write(1, paste_off, sizeof paste_off - 1);
    tcsetattr(0, TCSANOW, &cooked);
    for (int i = 0; i < FATAL; i++)
        if (fatal[i] == signal)
            sigaction(signal, &earlier_fatal[i], NULL);
    raise(signal);
}

bool cel_pipe(int ends[2]) { return pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0; }

bool cel_signals_begin(int descriptor) {
    if (tcgetattr(0, &cooked) != 0)
        return false;
    wake_descriptor = descriptor;
    struct sigaction action = {.sa_handler = tell, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < TOLD; i++)
        sigaction(told[i], &action, &earlier_told[i]);
    action.sa_handler = restore_and_repeat;
    for (int i = 0; i < FATAL; i++) {
        sigaction(fatal[i], NULL, &earlier_fatal[i]);
        // A signal that was ignored (nohup) stays ignored.
        if (earlier_fatal[i].sa_handler != SIG_IGN)
            sigaction(fatal[i], &action, NULL);
    }
    return true;
}

void cel_signals_end(void) {
    tcsetattr(0, TCSADRAIN, &cooked);
    for (int i = 0; i < TOLD; i++)
        sigaction(told[i], &earlier_told[i], NULL);
    for (int i = 0; i < FATAL; i++)
        sigaction(fatal[i], &earlier_fatal[i], NULL);
}

void cel_stop(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL}, ours;
    sigemptyset(&standard.sa_mask);
    sigaction(SIGTSTP, &standard, &ours);
    raise(SIGTSTP);
    sigaction(SIGTSTP, &ours, NULL);
}
