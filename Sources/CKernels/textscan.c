#include "textscan.h"

static int ascii_words(const uint8_t *p, size_t count) {
    uint64_t all = 0;
    while (count >= 32) {
        uint64_t w[4];
        memcpy(w, p, 32);
        all |= w[0] | w[1] | w[2] | w[3];
        p += 32;
        count -= 32;
    }
    while (count--) all |= *p++;
    return (all & 0x8080808080808080u) == 0;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static int ascii_avx2(const uint8_t *p, size_t count) {
    __m256i all = _mm256_setzero_si256(), more = all;
    while (count >= 64) {
        all = _mm256_or_si256(all, _mm256_loadu_si256((const __m256i *)p));
        more = _mm256_or_si256(more, _mm256_loadu_si256((const __m256i *)(p + 32)));
        p += 64;
        count -= 64;
    }
    return _mm256_movemask_epi8(_mm256_or_si256(all, more)) == 0 && ascii_words(p, count);
}

__attribute__((target("avx512f,avx512bw"))) static int ascii_avx512(const uint8_t *p, size_t count) {
    __m512i all = _mm512_setzero_si512(), more = all;
    while (count >= 128) {
        all = _mm512_or_si512(all, _mm512_loadu_si512(p));
        more = _mm512_or_si512(more, _mm512_loadu_si512(p + 64));
        p += 128;
        count -= 128;
    }
    return _mm512_movepi8_mask(_mm512_or_si512(all, more)) == 0 && ascii_words(p, count);
}
#endif

static int (*is_ascii)(const uint8_t *, size_t) = ascii_words;

// Before main, so that nobody reads the pointer while it changes.
__attribute__((constructor)) static void choose(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) is_ascii = ascii_avx512;
    else if (__builtin_cpu_supports("avx2")) is_ascii = ascii_avx2;
#endif
}

int ck_is_ascii(const uint8_t *p, size_t count) { return is_ascii(p, count); }

int ck_is_utf8(const uint8_t *p, size_t count) {
    const uint8_t *end = p + count;
    while (p < end) {
        while (end - p >= 8) {
            uint64_t word;
            memcpy(&word, p, 8);
            if (word & 0x8080808080808080u) break;
            p += 8;
        }
        if (p == end) break;
        uint8_t a = *p;
        if (a < 0x80) { p++; continue; }
        if (a < 0xc2) return 0;
        if (a < 0xe0) {
            if (end - p < 2 || (p[1] & 0xc0) != 0x80) return 0;
            p += 2;
        } else if (a < 0xf0) {
            if (end - p < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80) return 0;
            if ((a == 0xe0 && p[1] < 0xa0) || (a == 0xed && p[1] > 0x9f)) return 0;
            p += 3;
        } else {
            if (a > 0xf4 || end - p < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80) return 0;
            if ((a == 0xf0 && p[1] < 0x90) || (a == 0xf4 && p[1] > 0x8f)) return 0;
            p += 4;
        }
    }
    return 1;
}

size_t ck_count_byte(const uint8_t *p, size_t count, uint8_t byte) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) found += p[i] == byte;
    return found;
}
