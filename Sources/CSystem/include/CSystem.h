// What Swift cannot import or cannot do safely: starting a child, the guard, signals, pidfd, standard streams.
// Every function returns -1 and sets errno on failure unless its comment says otherwise.
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

// --- Starting a child (spawn.c)

#define META_CHILD_DESCRIPTORS 5

// A child receives exactly `descriptors` as its 0…4 (-1 leaves that number closed), is the leader of its own process
// group, has default signal dispositions and an empty mask, and dies with the thread that started it (Linux).
typedef struct {
    const char *path;              // absolute, or relative to the working directory; PATH is not searched
    char *const *arguments;        // ends with NULL
    char *const *environment;      // ends with NULL
    const char *directory;         // working directory, or NULL for the parent's
    int descriptors[META_CHILD_DESCRIPTORS];
    uint64_t stack_limit;          // soft RLIMIT_STACK in bytes; 0 leaves it as it is
    uint64_t memory_limit;         // RLIMIT_AS in bytes; 0 leaves it as it is
    int guard;                     // the guard's pipe, told of the new group before exec; -1 for none
} meta_spawn_request;

// What the child was doing when it failed; `error` holds its errno.
typedef enum {
    META_SPAWN_STARTED = 0,
    META_SPAWN_FORK,
    META_SPAWN_DESCRIPTORS,
    META_SPAWN_DIRECTORY,
    META_SPAWN_EXEC,
} meta_spawn_stage;

typedef struct {
    pid_t pid;                     // -1 when nothing runs
    meta_spawn_stage stage;
    int error;
} meta_spawn_result;

meta_spawn_result meta_spawn(const meta_spawn_request *request);

// A descriptor that becomes readable when the process has ended. Close-on-exec.
int meta_pidfd_open(pid_t pid);

typedef enum { META_ALIVE = 0, META_EXITED = 1, META_SIGNALED = 2, META_GONE = 3 } meta_end;

// How the child ended, without reaping it; `code` is its exit status or signal number.
meta_end meta_peek_end(pid_t pid, int *code);
// Reaps an ended child; never blocks.
void meta_reap(pid_t pid);
// Reaps a child that is about to end; blocks until it has.
void meta_wait(pid_t pid);
// The signal that has stopped the child since the last look, 0 when none has.
int meta_stop_signal(pid_t pid);
// Makes a process group of this session the terminal's foreground group, also from the background.
int meta_set_foreground(int terminal, pid_t group);
// "SIGSEGV" for 11, or NULL.
const char *meta_signal_name(int signal);

// --- The guard (guard.c): kills the announced process groups when meta is gone, however meta died

typedef struct {
    pid_t pid;                     // -1 until it runs, and when the system has no process left for it
    int pipe;                      // ours; -1 when there is none
    int reading;                   // the guard's, until it runs
} meta_guard;

// Opens the pipe: groups can be announced from now on.
meta_guard meta_guard_open(void);
// Starts the guard process. Closing `pipe` makes it kill every announced group and exit.
void meta_guard_start(meta_guard *guard);
// Announces a group, or withdraws it. Withdraw before reaping the leader: afterwards its number may belong to others.
void meta_guard_add(int pipe, pid_t group);
void meta_guard_remove(int pipe, pid_t group);

// --- Signals (signals.c)

// Ignores SIGPIPE and writes the number of every arriving `signals` member to a pipe; the result is its reading end
// (non-blocking, close-on-exec). One for each process: a second call returns the same pipe with the new signals added.
int meta_signals_open(const int *signals, size_t count);
// Whether a signal waits in that pipe: one load, no system call.
int meta_signals_pending(void);
// The next signal number, or 0 when none waits.
int meta_signals_next(void);
// Gives back the default disposition of the signals and closes the pipe.
void meta_signals_close(void);
void meta_ignore_sigpipe(void);

// --- Descriptors (descriptors.c)

// Two connected stream sockets or pipe ends. Close-on-exec. `parent` is non-blocking.
typedef struct { int parent; int child; int error; } meta_channel;
meta_channel meta_socket_pair(void);
meta_channel meta_output_pipe(void);
// Bytes that wait to be read, 0 on any failure.
size_t meta_readable_bytes(int descriptor);
// read(2) and send(2) without SIGPIPE, repeated on EINTR. -1 when nothing can be moved now, -2 on failure (errno).
ssize_t meta_read(int descriptor, void *bytes, size_t count);
ssize_t meta_send(int socket, const void *bytes, size_t count);
// Keeps this process on one CPU (benchmarks); -1 on failure.
int meta_pin_to_cpu(int cpu);

// How many CPUs this process may run on, at least 1.
int meta_usable_cpus(void);

// Puts /dev/null where descriptor 0, 1 or 2 is closed, so that nothing else is opened there; writing to it fails.
void meta_fill_standard_descriptors(void);

// Lets this process's main thread use so many bytes of stack, where the hard limit allows it. Children get their own limit.
void meta_raise_stack_limit(uint64_t bytes);

// Sets the allocator up for values, which are many small boxes that come and go together.
void meta_tune_memory(void);

// The process's environment.
char **meta_environment(void);
// errno as a value.
int meta_errno(void);

// --- Standard streams

FILE *meta_stdin(void);
FILE *meta_stdout(void);
FILE *meta_stderr(void);

// --- Segments (segments.c): files that several processes share

// A new file of mode 0600, open for both; a name that is taken, a link too, fails. Close-on-exec.
int meta_file_create(const char *path);
// Opens without following a link in the last place and without waiting. Close-on-exec.
int meta_file_open(const char *path, int writable);
// Writes all of the bytes at a place, or fails (ENOSPC where there is no room).
int meta_file_write(int descriptor, const void *bytes, size_t count, off_t offset);
// Reads as many bytes from a place as there are, at most `count`: how many.
ssize_t meta_file_read(int descriptor, void *bytes, size_t count, off_t offset);
// Takes the exclusive lock of the open file, 0 when it is held; without `wait` fails where another has it.
int meta_file_lock(int descriptor, int wait);
// Walks the names of a folder: NULL when it cannot be opened; the next name with that beginning, valid until the next
// call, NULL after the last.
void *meta_folder_open(const char *path);
const char *meta_folder_next(void *folder, const char *prefix);
void meta_folder_close(void *folder);

// --- Time (time.c)

// Reads all of the text by a pattern of strptime, in UTC unless it names a zone: seconds since 1970. -1 when the text is
// not so (errno says nothing).
int meta_parse_time(const char *text, const char *pattern, int64_t *seconds);

#endif
