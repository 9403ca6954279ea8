#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

// Scans of text for the format readers. The short ones (16 bytes) are inline and use what every processor of the architecture has; the
// long ones are chosen for the processor at start. All of them may read whole words, so their memory needs slack behind its end.

/// Index of the first '"', '\\' or byte below 0x20 in p[0..<16]; 16 when there is none.
static inline int ck_string_stop16(const uint8_t *_Nonnull p) {
#if defined(__SSE2__)
    __m128i v = _mm_loadu_si128((const __m128i *)p);
    __m128i control = _mm_set1_epi8(0x1f);
    __m128i hit = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))),
        _mm_cmpeq_epi8(_mm_max_epu8(v, control), control));
    return __builtin_ctz((unsigned)_mm_movemask_epi8(hit) | 0x10000u);
#elif defined(__ARM_NEON)
    uint8x16_t v = vld1q_u8(p);
    uint8x16_t hit = vorrq_u8(vorrq_u8(vceqq_u8(v, vdupq_n_u8('"')), vceqq_u8(v, vdupq_n_u8('\\'))), vcltq_u8(v, vdupq_n_u8(0x20)));
    uint64_t bits = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(hit), 4)), 0);
    return bits ? __builtin_ctzll(bits) >> 2 : 16;
#else
    for (int i = 0; i < 16; i++) if (p[i] == '"' || p[i] == '\\' || p[i] < 0x20) return i;
    return 16;
#endif
}

/// Index of the first byte equal to `a`, `b`, '\n' or '\r' in p[0..<16]; 16 when there is none.
static inline int ck_field_stop16(const uint8_t *_Nonnull p, uint8_t a, uint8_t b) {
#if defined(__SSE2__)
    __m128i v = _mm_loadu_si128((const __m128i *)p);
    __m128i hit = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)a)), _mm_cmpeq_epi8(v, _mm_set1_epi8((char)b))),
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'))));
    return __builtin_ctz((unsigned)_mm_movemask_epi8(hit) | 0x10000u);
#elif defined(__ARM_NEON)
    uint8x16_t v = vld1q_u8(p);
    uint8x16_t hit = vorrq_u8(
        vorrq_u8(vceqq_u8(v, vdupq_n_u8(a)), vceqq_u8(v, vdupq_n_u8(b))),
        vorrq_u8(vceqq_u8(v, vdupq_n_u8('\n')), vceqq_u8(v, vdupq_n_u8('\r'))));
    uint64_t bits = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(hit), 4)), 0);
    return bits ? __builtin_ctzll(bits) >> 2 : 16;
#else
    for (int i = 0; i < 16; i++) if (p[i] == a || p[i] == b || p[i] == '\n' || p[i] == '\r') return i;
    return 16;
#endif
}

/// Index of the first byte below `safe` in p[0..<16]; 16 when there is none.
static inline int ck_below16(const uint8_t *_Nonnull p, uint8_t safe) {
#if defined(__SSE2__)
    __m128i v = _mm_loadu_si128((const __m128i *)p);
    __m128i bound = _mm_set1_epi8((char)safe);
    return __builtin_ctz(~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(v, bound), v)) | 0x10000u);
#elif defined(__ARM_NEON)
    uint8x16_t hit = vcltq_u8(vld1q_u8(p), vdupq_n_u8(safe));
    uint64_t bits = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(hit), 4)), 0);
    return bits ? __builtin_ctzll(bits) >> 2 : 16;
#else
    for (int i = 0; i < 16; i++) if (p[i] < safe) return i;
    return 16;
#endif
}

/// Whether the first `count` (0…16) bytes are the same; 16 of each must be readable.
static inline int ck_same16(const uint8_t *_Nonnull a, const uint8_t *_Nonnull b, int count) {
#if defined(__SSE2__)
    __m128i same = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)a), _mm_loadu_si128((const __m128i *)b));
    return ((unsigned)_mm_movemask_epi8(same) | (0xffffffffu << count)) == 0xffffffffu;
#else
    return memcmp(a, b, (size_t)count) == 0;
#endif
}

static inline void ck_copy16(uint8_t *_Nonnull to, const uint8_t *_Nonnull from) { memcpy(to, from, 16); }

/// Whether all bytes are below 0x80.
int ck_is_ascii(const uint8_t *_Nonnull p, size_t count);

/// Whether the bytes are well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF).
int ck_is_utf8(const uint8_t *_Nonnull p, size_t count);

/// Index behind the last '\n'; 0 when there is none.
static inline size_t ck_behind_last_newline(const uint8_t *_Nonnull p, size_t count) {
    while (count > 0 && p[count - 1] != '\n') count--;
    return count;
}

/// How often `byte` occurs.
size_t ck_count_byte(const uint8_t *_Nonnull p, size_t count, uint8_t byte);
