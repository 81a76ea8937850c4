#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// The guard's whole language: a positive number announces a group, a negative one withdraws it. Four bytes are
// written at once, so records of several writers (a spawned child and meta) do not mix.
enum { MAX_GROUPS = 1024 };

static void announce(int pipe, int32_t record) {
    while (write(pipe, &record, sizeof record) < 0 && errno == EINTR) {}
}

void meta_guard_add(int pipe, pid_t group) { announce(pipe, (int32_t)group); }
void meta_guard_remove(int pipe, pid_t group) { announce(pipe, -(int32_t)group); }

static size_t forget(int32_t *groups, size_t count, int32_t group) {
    for (size_t i = 0; i < count; i++) {
        if (groups[i] == group) groups[i--] = groups[--count];
    }
    return count;
}

// Only async-signal-safe calls: the parent may have had threads when it forked.
static void watch(int pipe) {
    int32_t groups[MAX_GROUPS];
    size_t count = 0;
    int32_t record = 0;
    for (;;) {
        ssize_t got = read(pipe, &record, sizeof record);
        if (got < 0 && errno == EINTR) continue;
        if (got != (ssize_t)sizeof record) break;
        if (record > 0 && count < MAX_GROUPS) groups[count++] = record;
        if (record < 0) count = forget(groups, count, -record);
    }
    for (size_t i = 0; i < count; i++) kill(-groups[i], SIGKILL);
}

static void stand_apart(int pipe) {
    setsid();
    struct sigaction ignore;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    for (int number = 1; number < NSIG; number++) {
        if (number != SIGKILL && number != SIGSTOP) sigaction(number, &ignore, NULL);
    }
    prctl(PR_SET_NAME, "meta-guard");
    dup2(pipe, 0);
    syscall(SYS_close_range, 1U, ~0U, 0U);
    if (chdir("/") != 0) { /* only so that it holds no mount; nothing depends on it */ }
}

meta_guard meta_guard_open(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return (meta_guard){.pid = -1, .pipe = -1, .reading = -1};
    return (meta_guard){.pid = -1, .pipe = ends[1], .reading = ends[0]};
}

void meta_guard_start(meta_guard *guard) {
    // No handler of ours may run in the guard.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        stand_apart(guard->reading);
        sigprocmask(SIG_SETMASK, &before, NULL);
        watch(0);
        _exit(0);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(guard->reading);
    guard->reading = -1;
    guard->pid = pid;
}
