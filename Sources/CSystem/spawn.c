#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Numbers below this are where the child wants its descriptors; ours are moved above it first.
enum { FIRST_SAFE = 16 };

// The child of vfork shares our memory until it execs, so it reports failure by writing here; no pipe is needed.
typedef struct {
    const meta_spawn_request *request;
    pid_t parent;
    volatile meta_spawn_stage stage;
    volatile int error;
} child_state;

static void set_limit(int which, uint64_t bytes) {
    struct rlimit limit;
    if (bytes == 0 || getrlimit(which, &limit) != 0) return;
    rlim_t wanted = (rlim_t)bytes;
    limit.rlim_cur = limit.rlim_max != RLIM_INFINITY && wanted > limit.rlim_max ? limit.rlim_max : wanted;
    setrlimit(which, &limit);
}

static void reset_signals(void) {
    struct sigaction normal;
    memset(&normal, 0, sizeof normal);
    normal.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++) {
        if (number != SIGKILL && number != SIGSTOP) sigaction(number, &normal, NULL);
    }
}

// Two steps, so that a source that already lies in 0…4 is not overwritten before it is copied.
static int place_descriptors(const int *wanted) {
    int moved[META_CHILD_DESCRIPTORS];
    for (int i = 0; i < META_CHILD_DESCRIPTORS; i++) {
        moved[i] = wanted[i] < 0 ? -1 : fcntl(wanted[i], F_DUPFD_CLOEXEC, FIRST_SAFE);
        if (wanted[i] >= 0 && moved[i] < 0) return -1;
    }
    for (int i = 0; i < META_CHILD_DESCRIPTORS; i++) {
        if (moved[i] < 0) close(i);
        else if (dup2(moved[i], i) < 0) return -1;
    }
    return (int)syscall(SYS_close_range, META_CHILD_DESCRIPTORS, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
}

static void become(child_state *state) {
    const meta_spawn_request *request = state->request;
    setpgid(0, 0);
    // The parent may have died before the request for its death signal was in place.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != state->parent) return;
    if (request->guard >= 0) meta_guard_add(request->guard, getpid());
    state->stage = META_SPAWN_DESCRIPTORS;
    if (place_descriptors(request->descriptors) != 0) return;
    state->stage = META_SPAWN_DIRECTORY;
    if (request->directory != NULL && chdir(request->directory) != 0) return;
    set_limit(RLIMIT_STACK, request->stack_limit);
    set_limit(RLIMIT_AS, request->memory_limit);
    reset_signals();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    state->stage = META_SPAWN_EXEC;
    execve(request->path, request->arguments, request->environment);
}

meta_spawn_result meta_spawn(const meta_spawn_request *request) {
    child_state state = {.request = request, .parent = getpid(), .stage = META_SPAWN_FORK, .error = 0};
    // No handler of ours may run in the child, whose memory is ours.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0) {
        become(&state);
        state.error = errno == 0 ? ESRCH : errno;
        _exit(127);
    }
    int failure = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) return (meta_spawn_result){.pid = -1, .stage = META_SPAWN_FORK, .error = failure};
    if (state.error == 0) return (meta_spawn_result){.pid = pid, .stage = META_SPAWN_STARTED, .error = 0};
    if (request->guard >= 0) meta_guard_remove(request->guard, pid);
    meta_wait(pid);
    return (meta_spawn_result){.pid = -1, .stage = state.stage, .error = state.error};
}

int meta_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

meta_end meta_peek_end(pid_t pid, int *code) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result;
    do {
        result = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
    } while (result != 0 && errno == EINTR);
    if (result != 0) return META_GONE;
    if (info.si_pid == 0) return META_ALIVE;
    *code = info.si_status;
    return info.si_code == CLD_EXITED ? META_EXITED : META_SIGNALED;
}

void meta_reap(pid_t pid) {
    while (waitpid(pid, NULL, WNOHANG) < 0 && errno == EINTR) {}
}

void meta_wait(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

const char *meta_signal_name(int number) {
    static const char *const names[] = {
        [SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
        [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",
        [SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
        [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM", [SIGXCPU] = "SIGXCPU",
        [SIGXFSZ] = "SIGXFSZ", [SIGSYS] = "SIGSYS",
    };
    if (number <= 0 || (size_t)number >= sizeof names / sizeof *names) return NULL;
    return names[number];
}
