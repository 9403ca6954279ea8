#pragma once
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli) of `count` bytes, continuing from `crc`; start with 0. Uses the processor's instruction where it has one.
uint32_t swiftwater_crc32c(uint32_t crc, const void *data, size_t count);

/// The same by a table: what processors without the instruction run. Named so that tests can compare the two.
uint32_t swiftwater_crc32c_by_table(uint32_t crc, const void *data, size_t count);
