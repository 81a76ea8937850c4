// Drives an echo loop as meta drives a kernel: a frame out, its reply in, over a socketpair whose other end is the
// child's descriptor 3. Usage: driver WARMUP COUNT HEADER BODY PROGRAM ARGUMENT…; prints microseconds for each call.
// HEADER holds one %d, the request's number.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { largest_frame = 4096 };

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void read_whole(int descriptor, char *into, size_t count) {
    while (count > 0) {
        ssize_t got = read(descriptor, into, count);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fail("the echo loop ended");
        into += got;
        count -= (size_t)got;
    }
}

// One round trip; the reply is read whole and thrown away.
static void call(int descriptor, int number, const char *header, const char *body) {
    char head[largest_frame], frame[largest_frame * 2 + 16], sizes[17] = {0};
    int head_size = snprintf(head, sizeof head, header, number);
    int size = snprintf(frame, sizeof frame, "%08x%08x%s%s", head_size, (int)strlen(body), head, body);
    if (write(descriptor, frame, (size_t)size) != size) fail("write");
    read_whole(descriptor, sizes, 16);
    size_t answer = strtoul(sizes + 8, NULL, 16);
    sizes[8] = 0;
    answer += strtoul(sizes, NULL, 16);
    if (answer > sizeof frame) fail("a reply too large");
    read_whole(descriptor, frame, answer);
}

static double microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int count, char **arguments) {
    if (count < 6) return fprintf(stderr, "usage: driver WARMUP COUNT HEADER BODY PROGRAM ARGUMENT…\n"), 2;
    int warmup = atoi(arguments[1]), calls = atoi(arguments[2]), ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        // When the end is 3 already, dup2 would leave it close-on-exec: take it from a copy.
        int mine = dup(ends[1]);
        if (dup2(mine, 3) != 3) fail("dup2");
        if (mine != 3) close(mine);
        execvp(arguments[5], arguments + 5);
        fail(arguments[5]);
    }
    close(ends[1]);
    for (int number = 1; number <= warmup; number++) call(ends[0], number, arguments[3], arguments[4]);
    double start = microseconds();
    for (int number = 1; number <= calls; number++) call(ends[0], number, arguments[3], arguments[4]);
    printf("%.3f\n", (microseconds() - start) / calls);
    close(ends[0]);
    waitpid(child, NULL, 0);
    return 0;
}
