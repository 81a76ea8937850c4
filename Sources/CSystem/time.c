#define _GNU_SOURCE
#include "CSystem.h"

#include <time.h>

int meta_parse_time(const char *text, const char *pattern, int64_t *seconds) {
    struct tm parts = {.tm_mday = 1, .tm_year = 70};
    const char *rest = strptime(text, pattern, &parts);
    if (!rest || *rest) return -1;
    long offset = parts.tm_gmtoff;
    *seconds = (int64_t)timegm(&parts) - offset;
    return 0;
}
