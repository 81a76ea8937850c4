// The kernels' source texts, as they lie in files/, with the names that they are written under. Texts are not terminated
// by NUL.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>

typedef struct {
    const char *name;
    const unsigned char *bytes;
    size_t count;
} meta_kernel_file;

size_t meta_kernel_file_count(void);
// index < meta_kernel_file_count()
meta_kernel_file meta_kernel_file_at(size_t index);

#endif
