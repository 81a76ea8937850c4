#define _GNU_SOURCE
#include "CSystem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int meta_file_create(const char *path) {
    return open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

// Non-blocking: a pipe that somebody put in the file's place must not hold us up.
int meta_file_open(const char *path, int writable) {
    return open(path, (writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

int meta_file_write(int descriptor, const void *bytes, size_t count, off_t offset) {
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = pwrite(descriptor, next, count, offset);
        if (written < 0 && errno == EINTR) continue;
        if (written == 0) errno = ENOSPC;
        if (written <= 0) return -1;
        next += written;
        offset += written;
        count -= (size_t)written;
    }
    return 0;
}

ssize_t meta_file_read(int descriptor, void *bytes, size_t count, off_t offset) {
    size_t got = 0;
    while (got < count) {
        ssize_t read = pread(descriptor, (char *)bytes + got, count - got, offset + (off_t)got);
        if (read < 0 && errno == EINTR) continue;
        if (read < 0) return -1;
        if (read == 0) break;
        got += (size_t)read;
    }
    return (ssize_t)got;
}

int meta_file_lock(int descriptor, int wait) {
    int result;
    do {
        result = flock(descriptor, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    return result;
}

void *meta_folder_open(const char *path) { return opendir(path); }

const char *meta_folder_next(void *folder, const char *prefix) {
    size_t length = strlen(prefix);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        if (strncmp(entry->d_name, prefix, length) == 0) return entry->d_name;
    return NULL;
}

void meta_folder_close(void *folder) { closedir(folder); }
