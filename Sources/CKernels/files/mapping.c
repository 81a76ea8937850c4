// Maps segments of shared memory for Node: an addon over N-API, built with cc where it is first needed.
//
// It needs no header of Node's: what it uses of N-API (version 8, whose ABI never changes) is declared here. Every
// failure is a number that buffers.js makes an error of: an errno, or one of `failure`. All runs on Node's main thread.
//
// A mapping is told by its `id`, which is used once. The memory belongs to an ArrayBuffer; user code may move it to
// another one (ArrayBuffer.prototype.transfer), so only Node, by `finalize`, knows that it is free. Node runs that when
// its event loop turns; `unmap` does not wait. Either way the mapping comes to the list of the `ended`, once.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_ref__ *napi_ref;
typedef struct napi_callback_info__ *napi_callback_info;
typedef struct napi_handle_scope__ *napi_handle_scope;
typedef int napi_status; // 0 is success
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
typedef void (*napi_finalize)(napi_env, void *data, void *hint);

extern napi_status napi_create_array_with_length(napi_env, size_t, napi_value *);
extern napi_status napi_create_double(napi_env, double, napi_value *);
extern napi_status napi_create_external_arraybuffer(napi_env, void *, size_t, napi_finalize, void *, napi_value *);
extern napi_status napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
extern napi_status napi_create_reference(napi_env, napi_value, uint32_t, napi_ref *);
extern napi_status napi_delete_reference(napi_env, napi_ref);
extern napi_status napi_detach_arraybuffer(napi_env, napi_value);
extern napi_status napi_get_arraybuffer_info(napi_env, napi_value, void **, size_t *);
extern napi_status napi_get_boolean(napi_env, bool, napi_value *);
extern napi_status napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
extern napi_status napi_get_reference_value(napi_env, napi_ref, napi_value *);
extern napi_status napi_get_typedarray_info(napi_env, napi_value, int *, size_t *, void **, napi_value *, size_t *);
extern napi_status napi_get_value_bool(napi_env, napi_value, bool *);
extern napi_status napi_get_value_double(napi_env, napi_value, double *);
extern napi_status napi_get_value_string_utf8(napi_env, napi_value, char *, size_t, size_t *);
extern napi_status napi_open_handle_scope(napi_env, napi_handle_scope *);
extern napi_status napi_close_handle_scope(napi_env, napi_handle_scope);
extern napi_status napi_set_element(napi_env, napi_value, uint32_t, napi_value);
extern napi_status napi_set_named_property(napi_env, napi_value, const char *, napi_value);

/// What fails without an errno; buffers.js knows the numbers.
enum failure {
    BAD_ARGUMENT = 10001,
    FORGED = 10002,      // no regular file, somebody else's, or open to others
    EMPTY = 10003,       // the file has no bytes
    TOO_LARGE = 10004,   // more bytes than an ArrayBuffer holds
    NO_EXTERNAL = 10005, // this Node has no ArrayBuffer over memory that is not its own
    CHANGED = 10006,     // the name leads to another file
};

enum state { MAPPED, ENDED };

struct mapping {
    struct mapping *next, *previous; // among the mapped, or the ended that nobody has asked for yet
    struct mapping *chain;           // the next in its bucket, while it is mapped
    double id;
    char *address;
    size_t size;
    dev_t device;
    ino_t inode;
    napi_ref buffer; // weak
    enum state state;
    bool isFinal; // Node has let go of the memory
    bool isTold;  // buffers.js knows that it has ended
};

static struct mapping mapped = {.next = &mapped, .previous = &mapped};
static struct mapping ended = {.next = &ended, .previous = &ended};
enum { BUCKETS = 4096 };
static struct mapping *buckets[BUCKETS];
static double lastID;
static double largest; // bytes of an ArrayBuffer

static void append(struct mapping *list, struct mapping *one) {
    one->next = list;
    one->previous = list->previous;
    list->previous->next = one;
    list->previous = one;
}

static void detach(struct mapping *one) {
    one->next->previous = one->previous;
    one->previous->next = one->next;
}

static struct mapping **bucketOf(double id) { return &buckets[(uint64_t)id % BUCKETS]; }

static void end(napi_env env, struct mapping *one) {
    if (one->state == ENDED) return;
    one->state = ENDED;
    munmap(one->address, one->size);
    struct mapping **place = bucketOf(one->id);
    while (*place != one) place = &(*place)->chain;
    *place = one->chain;
    if (one->buffer != NULL) napi_delete_reference(env, one->buffer);
    one->buffer = NULL;
    detach(one);
    append(&ended, one);
}

/// Node's word that no ArrayBuffer has the memory any more.
static void finalize(napi_env env, void *data, void *hint) {
    (void)data;
    struct mapping *one = hint;
    end(env, one);
    one->isFinal = true;
    if (one->isTold) free(one);
}

// ------------------------------------------------------------------------------------------------------- arguments

struct arguments {
    size_t count;
    napi_value values[4];
};

static struct arguments argumentsOf(napi_env env, napi_callback_info info) {
    struct arguments found = {.count = 4};
    if (napi_get_cb_info(env, info, &found.count, found.values, NULL, NULL) != 0) found.count = 0;
    if (found.count > 4) found.count = 4;
    return found;
}

static napi_value number(napi_env env, double value) {
    napi_value made = NULL;
    napi_create_double(env, value, &made);
    return made;
}

static bool textOf(napi_env env, struct arguments *from, size_t at, char text[static 4096]) {
    size_t length = 0;
    if (at >= from->count || napi_get_value_string_utf8(env, from->values[at], text, 4096, &length) != 0) return false;
    return length > 0 && length < 4095 && strlen(text) == length;
}

static double numberOf(napi_env env, struct arguments *from, size_t at) {
    double value = -1;
    if (at >= from->count || napi_get_value_double(env, from->values[at], &value) != 0) return -1;
    return value;
}

/// The mapping of the argument `at`, while it is mapped; otherwise null.
static struct mapping *mappingOf(napi_env env, struct arguments *from, size_t at) {
    double id = numberOf(env, from, at);
    if (!(id > 0 && id <= lastID)) return NULL;
    struct mapping *one = *bucketOf(id);
    while (one != NULL && one->id != id) one = one->chain;
    return one;
}

// ----------------------------------------------------------------------------------------------------------- files

/// Opens a segment and checks whose it is; 0 or what is wrong.
static int openSegment(const char *path, int flags, int *file, struct stat *status) {
    int opened;
    do opened = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (opened < 0 && errno == EINTR);
    if (opened < 0) return errno == ELOOP || errno == ENXIO || errno == EISDIR ? FORGED : errno;
    int wrong = 0;
    if (fstat(opened, status) != 0) wrong = errno;
    else if (!S_ISREG(status->st_mode) || status->st_uid != geteuid() || (status->st_mode & 077) != 0) wrong = FORGED;
    else if ((flags & O_RDWR) != 0 && (status->st_mode & 0200) == 0) wrong = FORGED; // the system lets root write all
    else if (status->st_size == 0) wrong = EMPTY;
    else if ((double)status->st_size > largest) wrong = TOO_LARGE;
    if (wrong != 0) close(opened);
    else *file = opened;
    return wrong;
}

/// Gives mapped memory to a new ArrayBuffer: [the ArrayBuffer, its id, its size], or a number when that fails.
static napi_value bufferOver(napi_env env, void *address, const struct stat *status, size_t size) {
    struct mapping *one = calloc(1, sizeof *one);
    napi_value buffer = NULL, made = NULL;
    if (one == NULL) {
        munmap(address, size);
        return number(env, ENOMEM);
    }
    one->address = address;
    one->size = size;
    one->device = status->st_dev;
    one->inode = status->st_ino;
    one->id = ++lastID;
    if (napi_create_external_arraybuffer(env, address, size, finalize, one, &buffer) != 0) {
        free(one);
        munmap(address, size);
        return number(env, NO_EXTERNAL);
    }
    append(&mapped, one);
    one->chain = *bucketOf(one->id);
    *bucketOf(one->id) = one;
    if (napi_create_reference(env, buffer, 0, &one->buffer) != 0) one->buffer = NULL;
    napi_create_array_with_length(env, 3, &made);
    napi_set_element(env, made, 0, buffer);
    napi_set_element(env, made, 1, number(env, one->id));
    napi_set_element(env, made, 2, number(env, (double)size));
    return made;
}

/// map(path, isShared): a segment in memory; a private mapping's writes stay its own.
static napi_value map(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    char path[4096];
    bool isShared = false;
    int file = -1;
    struct stat status;
    if (!textOf(env, &from, 0, path)) return number(env, BAD_ARGUMENT);
    if (from.count > 1) napi_get_value_bool(env, from.values[1], &isShared);
    int wrong = openSegment(path, isShared ? O_RDWR : O_RDONLY, &file, &status);
    if (wrong != 0) return number(env, wrong);
    void *address = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, isShared ? MAP_SHARED : MAP_PRIVATE, file, 0);
    wrong = errno;
    close(file);
    return address == MAP_FAILED ? number(env, wrong) : bufferOver(env, address, &status, (size_t)status.st_size);
}

/// create(path, size): a new segment, its pages reserved, that is mapped shared. Nothing is left of one that fails.
static napi_value create(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    char path[4096];
    double size = numberOf(env, &from, 1);
    if (!textOf(env, &from, 0, path) || !(size >= 1) || size > 9007199254740991.0) return number(env, BAD_ARGUMENT);
    if (size > largest) return number(env, TOO_LARGE);
    int file = open(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return number(env, errno);
    int wrong;
    do wrong = posix_fallocate(file, 0, (off_t)size);
    while (wrong == EINTR);
    struct stat status;
    void *address = MAP_FAILED;
    if (wrong == 0 && (fchmod(file, 0600) != 0 || fstat(file, &status) != 0)) wrong = errno;
    if (wrong == 0) address = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (wrong == 0 && address == MAP_FAILED) wrong = errno;
    close(file);
    if (wrong != 0) {
        unlink(path);
        return number(env, wrong);
    }
    napi_value made = bufferOver(env, address, &status, (size_t)size);
    double failed = 0;
    if (napi_get_value_double(env, made, &failed) == 0) unlink(path);
    return made;
}

/// Puts a private mapping of a file where a mapping lies. The old one stays when it fails.
static int cover(struct mapping *one, int file) {
    void *fresh = mmap(NULL, one->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (fresh == MAP_FAILED) return errno;
    if (mremap(fresh, one->size, one->size, MREMAP_MAYMOVE | MREMAP_FIXED, one->address) == MAP_FAILED) {
        int wrong = errno;
        munmap(fresh, one->size);
        return wrong;
    }
    return 0;
}

/// seal(id, path): the mapping's file, whose path that is, changes no more; what is written to the mapping stays private.
static napi_value seal(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    char path[4096];
    struct stat status;
    int file = -1;
    struct mapping *one = mappingOf(env, &from, 0);
    if (one == NULL || !textOf(env, &from, 1, path)) return number(env, BAD_ARGUMENT);
    int wrong = openSegment(path, O_RDONLY, &file, &status);
    if (wrong != 0) return number(env, wrong);
    if (status.st_ino != one->inode || status.st_dev != one->device) wrong = CHANGED;
    else if (fchmod(file, 0400) != 0) wrong = errno;
    else wrong = cover(one, file);
    close(file);
    return number(env, wrong);
}

/// replace(id, path): the mapping becomes a private one of another file, which is at least as long.
static napi_value replace(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    char path[4096];
    struct stat status;
    int file = -1;
    struct mapping *one = mappingOf(env, &from, 0);
    if (one == NULL || !textOf(env, &from, 1, path)) return number(env, BAD_ARGUMENT);
    int wrong = openSegment(path, O_RDONLY, &file, &status);
    if (wrong != 0) return number(env, wrong);
    wrong = (size_t)status.st_size < one->size ? CHANGED : cover(one, file);
    if (wrong == 0) {
        one->inode = status.st_ino;
        one->device = status.st_dev;
    }
    close(file);
    return number(env, wrong);
}

// ------------------------------------------------------------------------------------------------------------ ends

/// unmap(id, buffer): gives the memory back now; 1 when it did, 0 when the buffer does not have it (any more).
static napi_value unmap(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    struct mapping *one = mappingOf(env, &from, 0);
    void *address = NULL;
    size_t size = 0;
    if (one == NULL || from.count < 2 || napi_get_arraybuffer_info(env, from.values[1], &address, &size) != 0) return number(env, 0);
    if (address != one->address || size != one->size || napi_detach_arraybuffer(env, from.values[1]) != 0) return number(env, 0);
    end(env, one);
    return number(env, 1);
}

/// buffer(id): the ArrayBuffer, or undefined when it is collected.
static napi_value buffer(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    struct mapping *one = mappingOf(env, &from, 0);
    napi_value found = NULL;
    if (one == NULL || one->buffer == NULL || napi_get_reference_value(env, one->buffer, &found) != 0) return NULL;
    return found;
}

/// ended(): the id of a mapping that has ended, until told() is called with it; 0 when there is none.
static napi_value firstEnded(napi_env env, napi_callback_info info) {
    (void)info;
    return number(env, ended.next == &ended ? 0 : ended.next->id);
}

static napi_value told(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    struct mapping *one = ended.next;
    if (one == &ended || one->id != numberOf(env, &from, 0)) return NULL;
    detach(one);
    one->isTold = true;
    if (one->isFinal) free(one);
    return NULL;
}

/// waiting(): how many mappings have lost their ArrayBuffer and wait for the event loop to turn.
static napi_value waiting(napi_env env, napi_callback_info info) {
    (void)info;
    double count = 0;
    for (struct mapping *one = mapped.next; one != &mapped; one = one->next) {
        napi_handle_scope scope;
        napi_value found = NULL;
        if (one->buffer == NULL || napi_open_handle_scope(env, &scope) != 0) continue;
        if (napi_get_reference_value(env, one->buffer, &found) == 0 && found == NULL) count++;
        napi_close_handle_scope(env, scope);
    }
    return number(env, count);
}

// ------------------------------------------------------------------------------------------------------------- pool

// A file of the kernel's own that is used again is kept mapped, to be filled at the speed of memory. Nobody gets an ArrayBuffer of that.
// A place is told by its key, which buffers.js gives: what it has just begun to keep can so be let go, whatever ended it.

enum { PLACES = 64 };
static struct { double key; char *address; size_t size; } kept[PLACES];

static int placeOf(double key) {
    for (int at = 0; at < PLACES; at++) if (kept[at].address != NULL && kept[at].key == key) return at;
    return -1;
}

/// keep(key, file, size): maps the file of that descriptor, all of whose pages are there; 0, or what is wrong.
static napi_value keep(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    double key = numberOf(env, &from, 0), size = numberOf(env, &from, 2);
    int file = (int)numberOf(env, &from, 1), place = 0;
    struct stat status;
    if (placeOf(key) >= 0) return number(env, 0);
    while (place < PLACES && kept[place].address != NULL) place++;
    if (place == PLACES || !(size >= 1)) return number(env, BAD_ARGUMENT);
    if (fstat(file, &status) != 0) return number(env, errno);
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (double)status.st_size != size) return number(env, FORGED);
    void *address = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    if (address == MAP_FAILED) return number(env, errno);
    kept[place].key = key;
    kept[place].address = address;
    kept[place].size = (size_t)size;
    return number(env, 0);
}

/// fill(key, bytes): copies a Uint8Array to the beginning of what is kept; 1 when it did.
static napi_value fill(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    int place = placeOf(numberOf(env, &from, 0)), type = -1;
    void *data = NULL;
    size_t length = 0;
    if (place < 0 || from.count < 2) return number(env, 0);
    if (napi_get_typedarray_info(env, from.values[1], &type, &length, &data, NULL, NULL) != 0 || type != 1) return number(env, 0);
    if (length > kept[place].size) return number(env, 0);
    if (length > 0) memcpy(kept[place].address, data, length);
    return number(env, 1);
}

/// drop(key): keeps that no longer.
static napi_value drop(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    int place = placeOf(numberOf(env, &from, 0));
    if (place < 0) return NULL;
    munmap(kept[place].address, kept[place].size);
    kept[place].address = NULL;
    return NULL;
}

// ---------------------------------------------------------------------------------------------------------- written

/// Whether a page was written to in a private mapping: it is in memory or swapped out, and not of the file.
static bool isPrivate(uint64_t page) { return (page >> 62) != 0 && (page >> 61 & 1) == 0; }

/// isWritten(id, from, to): 1 when pages of these bytes were written, or when nobody can say.
static napi_value isWritten(napi_env env, napi_callback_info info) {
    static int pagemap = -2;
    struct arguments from = argumentsOf(env, info);
    struct mapping *one = mappingOf(env, &from, 0);
    double start = numberOf(env, &from, 1), stop = numberOf(env, &from, 2);
    if (one == NULL || !(start >= 0 && stop >= start && stop <= (double)one->size)) return number(env, 1);
    if (pagemap == -2) pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t next = ((uintptr_t)one->address + (size_t)start) / page;
    size_t last = ((uintptr_t)one->address + (size_t)stop + page - 1) / page;
    static uint64_t entries[8192];
    while (next < last) {
        size_t wanted = last - next < 8192 ? last - next : 8192;
        ssize_t got = pread(pagemap, entries, wanted * 8, (off_t)(next * 8));
        if (got < 8) return number(env, 1);
        for (size_t at = 0; at < (size_t)got / 8; at++) {
            if (isPrivate(entries[at])) return number(env, 1);
        }
        next += (size_t)got / 8;
    }
    return number(env, 0);
}

/// isReady(descriptor): whether there is something to read, or the end.
static napi_value isReady(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    struct pollfd one = {.fd = (int)numberOf(env, &from, 0), .events = POLLIN};
    napi_value made = NULL;
    napi_get_boolean(env, poll(&one, 1, 0) == 1, &made);
    return made;
}

/// limit(bytes): how large an ArrayBuffer may be here.
static napi_value limit(napi_env env, napi_callback_info info) {
    struct arguments from = argumentsOf(env, info);
    largest = numberOf(env, &from, 0);
    return NULL;
}

#ifndef SOURCE
#define SOURCE 0
#endif

/// source(): the number that the compiler was given for the text that this was built from.
static napi_value source(napi_env env, napi_callback_info info) {
    (void)info;
    return number(env, SOURCE);
}

__attribute__((visibility("default"))) int32_t node_api_module_get_api_version_v1(void);
__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports);

int32_t node_api_module_get_api_version_v1(void) { return 8; }

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
    static const struct { const char *name; napi_callback work; } members[] = {
        {"map", map}, {"create", create}, {"seal", seal}, {"replace", replace}, {"unmap", unmap}, {"buffer", buffer},
        {"ended", firstEnded}, {"told", told}, {"waiting", waiting}, {"isWritten", isWritten}, {"keep", keep}, {"fill", fill}, {"drop", drop},
        {"isReady", isReady}, {"limit", limit}, {"source", source},
    };
    for (size_t at = 0; at < sizeof members / sizeof *members; at++) {
        napi_value made = NULL;
        if (napi_create_function(env, members[at].name, SIZE_MAX, members[at].work, NULL, &made) != 0) return exports;
        napi_set_named_property(env, exports, members[at].name, made);
    }
    return exports;
}
