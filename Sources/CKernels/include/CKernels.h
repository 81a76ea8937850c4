// The kernels' source texts, as they lie in files/. Not terminated by NUL.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>

typedef struct {
    const unsigned char *bytes;
    size_t count;
} meta_kernel_text;

meta_kernel_text meta_kernel_python(void);
meta_kernel_text meta_kernel_node(void);
meta_kernel_text meta_kernel_shell(void);

#endif
