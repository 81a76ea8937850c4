#include "CKernels.h"

// #embed is C23; the compiler that comes with Swift has it in every mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

#if __has_embed("files/kernel.py") == __STDC_EMBED_FOUND__
static const unsigned char python[] = {
#embed "files/kernel.py"
};
#else
static const unsigned char python[] = {'\n'};
#endif

#if __has_embed("files/kernel.js") == __STDC_EMBED_FOUND__
static const unsigned char node[] = {
#embed "files/kernel.js"
};
#else
static const unsigned char node[] = {'\n'};
#endif

static const unsigned char shell[] = {
#embed "files/kernel.sh"
};

meta_kernel_text meta_kernel_python(void) { return (meta_kernel_text){python, sizeof python}; }
meta_kernel_text meta_kernel_node(void) { return (meta_kernel_text){node, sizeof node}; }
meta_kernel_text meta_kernel_shell(void) { return (meta_kernel_text){shell, sizeof shell}; }
