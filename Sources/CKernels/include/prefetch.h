#pragma once

/// Asks for a cache line that will be read soon. A hint: any address is allowed.
static inline void swiftwater_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }
