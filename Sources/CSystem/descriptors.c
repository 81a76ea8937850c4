#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

static void make_non_blocking(int descriptor) {
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

meta_channel meta_socket_pair(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return (meta_channel){-1, -1, errno};
    make_non_blocking(ends[0]);
    return (meta_channel){.parent = ends[0], .child = ends[1], .error = 0};
}

meta_channel meta_output_pipe(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return (meta_channel){-1, -1, errno};
    make_non_blocking(ends[0]);
    return (meta_channel){.parent = ends[0], .child = ends[1], .error = 0};
}

size_t meta_readable_bytes(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

static ssize_t judged(ssize_t moved) {
    if (moved >= 0) return moved;
    return errno == EAGAIN || errno == EWOULDBLOCK ? -1 : -2;
}

ssize_t meta_read(int descriptor, void *bytes, size_t count) {
    ssize_t got;
    do {
        got = read(descriptor, bytes, count);
    } while (got < 0 && errno == EINTR);
    return judged(got);
}

ssize_t meta_send(int socket, const void *bytes, size_t count) {
    ssize_t sent;
    do {
        sent = send(socket, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return judged(sent);
}

int meta_pin_to_cpu(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

char **meta_environment(void) { return environ; }
int meta_errno(void) { return errno; }

FILE *meta_stdin(void) { return stdin; }
FILE *meta_stdout(void) { return stdout; }
FILE *meta_stderr(void) { return stderr; }

int meta_usable_cpus(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? count : 1;
}

void meta_raise_stack_limit(uint64_t bytes) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= bytes) return;
    limit.rlim_cur = limit.rlim_max < bytes ? limit.rlim_max : bytes;
    setrlimit(RLIMIT_STACK, &limit);
}

void meta_fill_standard_descriptors(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++)
        if (fcntl(descriptor, F_GETFD) == -1 && open("/dev/null", O_RDONLY) < 0) return;
}
