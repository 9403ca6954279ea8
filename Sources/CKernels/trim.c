#include <stdlib.h>
#include "include/trim.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif

void swiftwater_trim_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
