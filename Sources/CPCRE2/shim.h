// PCRE2 over UTF-8: the names that end in _8.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
