#include "crc32c.h"
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t count) {
    uint64_t wide = crc;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; count > 0; at++, count--) crc = _mm_crc32_u8(crc, *at);
    return crc;
}

static int has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t count) {
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        crc = __crc32cd(crc, word);
    }
    for (; count > 0; at++, count--) crc = __crc32cb(crc, *at);
    return crc;
}

static int has_instruction(void) { return 1; }

#else

static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t count) { (void)at; (void)count; return crc; }
static int has_instruction(void) { return 0; }

#endif

/// Four bits at a time: sixteen words that need no initialisation at run time, so no race either.
static uint32_t by_table(uint32_t crc, const uint8_t *at, size_t count) {
    static const uint32_t table[16] = {
        0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
        0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
    };
    for (; count > 0; at++, count--) {
        crc ^= *at;
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return crc;
}

uint32_t swiftwater_crc32c(uint32_t crc, const void *data, size_t count) {
    const uint8_t *at = data;
    crc = ~crc;
    crc = has_instruction() ? by_instruction(crc, at, count) : by_table(crc, at, count);
    return ~crc;
}

uint32_t swiftwater_crc32c_by_table(uint32_t crc, const void *data, size_t count) { return ~by_table(~crc, data, count); }
