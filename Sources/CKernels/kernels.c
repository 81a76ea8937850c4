#include "CKernels.h"

// #embed is C23; the compiler that comes with Swift has it in every mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char python[] = {
#embed "files/kernel.py"
};

static const unsigned char node[] = {
#embed "files/kernel.js"
};

static const unsigned char shell[] = {
#embed "files/kernel.sh"
};

meta_kernel_text meta_kernel_python(void) { return (meta_kernel_text){python, sizeof python}; }
meta_kernel_text meta_kernel_node(void) { return (meta_kernel_text){node, sizeof node}; }
meta_kernel_text meta_kernel_shell(void) { return (meta_kernel_text){shell, sizeof shell}; }
