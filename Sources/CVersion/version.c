#include "CVersion.h"

#ifndef SWIFTWATER_COMMIT
#define SWIFTWATER_COMMIT "unknown"
#endif

const char *swiftwater_commit(void) { return SWIFTWATER_COMMIT; }
