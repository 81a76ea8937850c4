#include "CSystem.h"

#include <malloc.h>

// Bins that put off joining what is freed, and giving each freed page back at once, cost half of the time that it takes
// to read and drop a large value.
void meta_tune_memory(void) {
    mallopt(M_MXFAST, 0);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
}
