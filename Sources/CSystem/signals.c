#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

// A signal handler can reach nothing but globals. Written by the main thread before a handler is installed and after
// it is removed; the handler itself only reads `ends` and counts.
static int ends[2] = {-1, -1};
static volatile sig_atomic_t waiting = 0;
static sigset_t installed;

static void note(int number) {
    int before = errno;
    unsigned char byte = (unsigned char)number;
    // A full pipe already wakes the reader.
    if (write(ends[1], &byte, 1) == 1) waiting = 1;
    errno = before;
}

static void set_disposition(int number, void (*function)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = function;
    sigfillset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void meta_ignore_sigpipe(void) { set_disposition(SIGPIPE, SIG_IGN); }

int meta_signals_open(const int *signals, size_t count) {
    meta_ignore_sigpipe();
    if (ends[0] < 0) {
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
        sigemptyset(&installed);
    }
    for (size_t i = 0; i < count; i++) {
        sigaddset(&installed, signals[i]);
        set_disposition(signals[i], note);
    }
    return ends[0];
}

int meta_signals_pending(void) { return waiting; }

int meta_signals_next(void) {
    unsigned char byte = 0;
    waiting = 0;
    if (ends[0] < 0 || read(ends[0], &byte, 1) != 1) return 0;
    // More may wait behind it; a read that finds nothing clears this again.
    waiting = 1;
    return byte;
}

void meta_signals_close(void) {
    if (ends[0] < 0) return;
    for (int number = 1; number < NSIG; number++) {
        if (sigismember(&installed, number) == 1) set_disposition(number, SIG_DFL);
    }
    close(ends[0]);
    close(ends[1]);
    ends[0] = ends[1] = -1;
    waiting = 0;
}
