#include "CKernels.h"

// #embed is C23; the compiler that comes with Swift has it in every mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char python[] = {
#embed "files/kernel.py"
};

static const unsigned char python_buffers[] = {
#embed "files/buffers.py"
};

static const unsigned char python_images[] = {
#embed "files/images.py"
};

static const unsigned char python_tables[] = {
#embed "files/tables.py"
};

static const unsigned char node[] = {
#embed "files/kernel.js"
};

static const unsigned char node_buffers[] = {
#embed "files/buffers.js"
};

static const unsigned char node_tables[] = {
#embed "files/tables.js"
};

static const unsigned char node_mapping[] = {
#embed "files/mapping.c"
};

static const unsigned char shell[] = {
#embed "files/kernel.sh"
};

static const meta_kernel_file files[] = {
    {"_meta_kernel.py", python, sizeof python},
    {"_meta_buffers.py", python_buffers, sizeof python_buffers},
    {"_meta_images.py", python_images, sizeof python_images},
    {"_meta_tables.py", python_tables, sizeof python_tables},
    {"kernel.js", node, sizeof node},
    {"buffers.js", node_buffers, sizeof node_buffers},
    {"tables.js", node_tables, sizeof node_tables},
    {"mapping.c", node_mapping, sizeof node_mapping},
    {"kernel.sh", shell, sizeof shell},
};

size_t meta_kernel_file_count(void) { return sizeof files / sizeof files[0]; }
meta_kernel_file meta_kernel_file_at(size_t index) { return files[index]; }
