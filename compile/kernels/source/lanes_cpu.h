// A lane on a CPU: LANES rows of the batch side by side in one vector (the vector extension of GCC and Clang).
// `a * b`, `a + 1.0f` and so on act on all lanes at once, so a kernel reads as if it computed a single row.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__AVX512VL__) && defined(__AVX512DQ__) && LANES == 16
#include <immintrin.h>
#define AVX512(name) (real)_mm512_##name##_ps
typedef __m512 native;
#elif defined(__AVX512VL__) && defined(__AVX512DQ__) && LANES == 8
#include <immintrin.h>
#define AVX512(name) (real)_mm256_##name##_ps
typedef __m256 native;
#endif

typedef float real __attribute__((vector_size(4 * LANES)));
typedef int32_t whole __attribute__((vector_size(4 * LANES)));
typedef float over_rows;  // a number that all rows of a block share

#define FUNCTION static inline
#define EACH(i, count) for (int i = 0; i < (count); i++)
#define EACH_IN(i, first, end) for (int i = (first); i < (end); i++)
#define EACH_ANY EACH
#define EACH_SPLIT EACH
#define EACH_SYNAPSE(k, ptr) for (int k = 0; k < ptr[N]; k++)  // each of those that come to the same neurons
#define EACH_BY(count, first, start, end) for (int first = (start); first < (end); first += (count))
#define PARTS 1
#define PART 0
#define JOINED(value) (+(value))
#define INVERSE(value) (1.0f / (value))
#define BARRIER
#define ONCE if (folding)  // what is the same for all blocks is done with the first one that a thread takes
#define FETCH(to, from, row) fetch(to, from, from##_rows, from##_width, row, block)
#define STORE(to, row, from) store(to, to##_rows, to##_width, row, from, block)
#define CLEAR(to, row) clear(to, to##_rows, to##_width, row, block)
#define VALUE(from, row) value_of(from, from##_rows, row, block)
#define SOME(test) some(test)
#define SOON(from, index, k, count)
#define SOON_FOUR(sums, index, k, count)
#define TOTAL(value) total(value, block)
// Four sums of a synapse's gradients, of each lane; threads of a crew, whose circuits are large, keep their totals.
#define NO_FOUR splat(0.0f)
#define ADD_FOUR(sums, k, a, b, c, d) \
    sums[4 * (k)] += a; \
    sums[4 * (k) + 1] += b; \
    sums[4 * (k) + 2] += c; \
    sums[4 * (k) + 3] += d;
#define TOTAL_SUM(value) total(value, block)
#define TOTALS(found, sum, m) const Four found = totals(sum[0][m], sum[1][m], sum[2][m], sum[3][m], block);
// Sums over rows and time steps, as far as four lanes: what stays of a vector is all that a cache has to hold.
#define NO_SUM(sums, i) ((Four *)(sums))[i] = Four{};
#define ADD_SUM(sums, i, value) ((Four *)(sums))[i] += by_fours(value, block);
#define SUM_TOTAL(sums, i) total(((Four *)(sums))[i])
// What forward saves for backward lies as lanes, and is not interleaved anew.
#define SAVED(name, row, i) name[(block.index * name##_rows + (row)) * name##_width + (i)]
#define SAVE(name, row, i, value) if (SAVING) SAVED(name, row, i) = value;

// How many weights of a CfC's neuron, or neurons, are done at once for the gradients.
#define SIDE 4

// How many lanes fit into the processor's registers.
#ifdef AVX512
#define REGISTERS 32
#elif defined(__aarch64__)
#define REGISTERS (32 * 4 / LANES)
#else
#define REGISTERS (16 * 8 / LANES)
#endif

// Neighbouring neurons that are done at once, as many as leave registers for more than their sums.
#define FITS(count) ((count) * MAPS + 4 < REGISTERS)
#define TOGETHER (FITS(TEAM) ? TEAM : FITS(TEAM / 2) ? TEAM / 2 : FITS(TEAM / 4) ? TEAM / 4 : 1)

FUNCTION real splat(float value) { return (real){} + value; }
FUNCTION real choose(whole test, real yes, real no) { return test ? yes : no; }
FUNCTION int some(whole test) {
    int found = 0;
    for (int lane = 0; lane < LANES; lane++) found |= test[lane];
    return found;
}

// 2^z = 2^n 2^(z - n): a whole number n goes into the exponent, the rest is a polynomial, good to 2 parts in 10^7.
FUNCTION real exp2_lane(real z) {
#ifdef AVX512  // n is the largest one below z: one instruction subtracts it, one multiplies by 2^n
    const real f = AVX512(reduce)((native)z, _MM_FROUND_TO_NEG_INF);
    real p = f * 1.87758e-3f + 8.98934e-3f;
    p = p * f + 5.582632e-2f;
    p = p * f + 2.4015362e-1f;
    p = p * f + 6.9315307e-1f;
    p = p * f + 0.99999993f;
    return AVX512(scalef)((native)p, (native)z);
#else  // n is the nearest one
    z = z < splat(-126.0f) ? splat(-126.0f) : z;  // a NaN passes both comparisons
    z = z > splat(126.0f) ? splat(126.0f) : z;
    const real shifted = z + 12582912.0f;  // 1.5 * 2^23: the floats from here on are whole numbers
    const real f = z - (shifted - 12582912.0f);
    real p = f * 1.3254603e-3f + 9.6719991e-3f;
    p = p * f + 5.5507794e-2f;
    p = p * f + 2.4022232e-1f;
    p = p * f + 6.9314694e-1f;
    p = p * f + 1.0f;
    return (real)((whole)p + ((whole)shifted << 23));
#endif
}

#ifdef AVX512
// 1 / (1 + 2^z), good to 1.5 parts in 10^7. z is n + i / 16 + r, n and i whole and r from 0 to 1/16. A table has
// 2^((i + 1/2) / 16), and what is left is (c + q) / (c - q) for q = r - 1/32, exact where r is 0 or 1/16, so that there are
// no jumps. The division does both; a polynomial would take multipliers that the sums around it need.
#define SIGMOID2
alignas(64) static const float POWERS[16] = {1.0218972f, 1.0671405f, 1.1143868f, 1.1637249f, 1.2152474f, 1.269051f,
                                             1.3252367f, 1.3839099f, 1.4451808f, 1.5091644f, 1.5759809f, 1.6457555f,
                                             1.7186193f, 1.7947091f, 1.8741677f, 1.9571441f};
FUNCTION real sigmoid2(real z) {
    const real r = AVX512(reduce)((native)z, 4 << 4 | _MM_FROUND_TO_NEG_INF);
#if LANES == 16  // i is where the last bits of 16 z + 1.5 * 2^23 are, rounded down
    const __m512 i = _mm512_add_round_ps((native)z, _mm512_set1_ps(786432.0f), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    const native power = _mm512_permutexvar_ps(_mm512_castps_si512(i), *(native *)POWERS);
#else
    const __m256i i = (__m256i)((z - r) + 786432.0f);
    const native power = _mm256_permutex2var_ps(((native *)POWERS)[0], i, ((native *)POWERS)[1]);
#endif
    const real below = 2.9167528f - r, scaled = AVX512(scalef)(power, (native)z);
    return below / (scaled * (r + 2.8542528f) + below);
}
#endif

// A block: up to LANES neighbouring rows of the batch. Lanes beyond the last row repeat it and are dropped.
struct Block {
    int64_t index, first;
    int count;
    real valid;  // 1 for the lanes that hold a row, 0 for the others
};

static inline Block block_at(int64_t index, int64_t batch) {
    const int64_t first = index * LANES;
    const int64_t left = batch - first;
    Block block = {index, first, (int)(left < LANES ? left : LANES), {}};
    for (int lane = 0; lane < block.count; lane++) block.valid[lane] = 1.0f;
    return block;
}

// Threads share `next` and take blocks from it until none is left.
static inline Block take_block(int64_t *next, int64_t batch) {
    return block_at(__atomic_fetch_add(next, 1, __ATOMIC_RELAXED), batch);
}

enum { WORTH_A_CALL = 4 * LANES };  // of fewer numbers: what vectors hold over a call is read anew behind it

// LANES vectors, turned: number i of vector k is number k of vector i then.
#if defined(AVX512) && LANES == 16
static inline void turn(real *tile) {
    __m512 a[16], b[16];
    for (int i = 0; i < 16; i += 2) {
        const __m512 x = (native)tile[i], y = (native)tile[i + 1];
        a[i] = _mm512_unpacklo_ps(x, y);
        a[i + 1] = _mm512_unpackhi_ps(x, y);
    }
    for (int i = 0; i < 16; i += 4) {
        for (int k = 0; k < 2; k++) {
            const __m512d x = _mm512_castps_pd(a[i + k]), y = _mm512_castps_pd(a[i + 2 + k]);
            b[i + 2 * k] = _mm512_castpd_ps(_mm512_unpacklo_pd(x, y));
            b[i + 2 * k + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(x, y));
        }
    }
    for (int i = 0; i < 4; i++) {
        const __m512 even = _mm512_shuffle_f32x4(b[i], b[4 + i], 0x88), odd = _mm512_shuffle_f32x4(b[i], b[4 + i], 0xdd);
        const __m512 more = _mm512_shuffle_f32x4(b[8 + i], b[12 + i], 0x88);
        const __m512 rest = _mm512_shuffle_f32x4(b[8 + i], b[12 + i], 0xdd);
        tile[i] = (real)_mm512_shuffle_f32x4(even, more, 0x88);
        tile[4 + i] = (real)_mm512_shuffle_f32x4(odd, rest, 0x88);
        tile[8 + i] = (real)_mm512_shuffle_f32x4(even, more, 0xdd);
        tile[12 + i] = (real)_mm512_shuffle_f32x4(odd, rest, 0xdd);
    }
}

// Of LANES rows that are `step` apart, as many numbers as fill vectors: functions of their own, for builds to be quick.
static __attribute__((noinline)) int64_t fetch_tiles(real *to, const float *from, int64_t step, int64_t width,
                                                     int count) {
    int64_t i = 0;
    for (; i + LANES <= width; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            memcpy(to + i + lane, from + (lane < count ? lane : count - 1) * step + i, sizeof(real));
        }
        turn(to + i);
    }
    return i;
}
static __attribute__((noinline)) int64_t store_tiles(float *to, const real *from, int64_t step, int64_t width,
                                                     int count) {
    int64_t i = 0;
    for (; i + LANES <= width; i += LANES) {
        real tile[LANES];
        for (int k = 0; k < LANES; k++) tile[k] = from[i + k];
        turn(tile);
        for (int lane = 0; lane < count; lane++) memcpy(to + lane * step + i, tile + lane, sizeof(real));
    }
    return i;
}
#else
static inline int64_t fetch_tiles(real *, const float *, int64_t, int64_t, int) { return 0; }
static inline int64_t store_tiles(float *, const real *, int64_t, int64_t, int) { return 0; }
#endif

// Row `row` of an array (batch, rows, width), one lane per row of the batch: all numbers, or some of them.
static inline void fetch(real *to, const float *from, int64_t rows, int64_t width, int64_t row, const Block &block,
                         int64_t begin = 0, int64_t end = INT64_MAX) {
    if (end > width) end = width;
    const float *const first = from + (block.first * rows + row) * width;
    if (end - begin >= WORTH_A_CALL) begin += fetch_tiles(to + begin, first + begin, rows * width, end - begin, block.count);
    for (int lane = 0; lane < LANES; lane++) {
        const float *source = first + (lane < block.count ? lane : block.count - 1) * rows * width;
        for (int64_t i = begin; i < end; i++) to[i][lane] = source[i];
    }
}

static inline void store(float *to, int64_t rows, int64_t width, int64_t row, const real *from, const Block &block,
                         int64_t begin = 0, int64_t end = INT64_MAX) {
    if (end > width) end = width;
    float *const first = to + (block.first * rows + row) * width;
    if (end - begin >= WORTH_A_CALL) begin += store_tiles(first + begin, from + begin, rows * width, end - begin, block.count);
    for (int lane = 0; lane < block.count; lane++) {
        float *target = first + lane * rows * width;
        for (int64_t i = begin; i < end; i++) target[i] = from[i][lane];
    }
}

static inline void clear(float *to, int64_t rows, int64_t width, int64_t row, const Block &block) {
    for (int lane = 0; lane < block.count; lane++) {
        memset(to + ((block.first + lane) * rows + row) * width, 0, width * sizeof(float));
    }
}

// The same of an array (batch, rows, 1).
static inline real value_of(const float *from, int64_t rows, int64_t row, const Block &block) {
    real found;
    fetch(&found, from, rows, 1, row, block);
    return found;
}

// The sum over a block's rows, always in the same order: halves of lanes are added until four are left, then pairs.
typedef float Four __attribute__((vector_size(16)));
static inline Four by_fours(real value, const Block &block) {
    union { real lane; Four part[LANES / 4]; } all = {value * block.valid};
    for (int n = LANES / 8; n > 0; n /= 2) {
        for (int i = 0; i < n; i++) all.part[i] += all.part[n + i];
    }
    return all.part[0];
}

static inline float total(Four sum) { return (sum[0] + sum[1]) + (sum[2] + sum[3]); }
static inline float total(real value, const Block &block) { return total(by_fours(value, block)); }

// Four totals in the same order, by additions that serve all of them.
static inline Four totals(real first, real second, real third, real fourth, const Block &block) {
#if defined(AVX512) && LANES == 16
    const __m512 a = (native)(first * block.valid), b = (native)(second * block.valid);
    const __m512 c = (native)(third * block.valid), d = (native)(fourth * block.valid);
    const __m512 ab = _mm512_shuffle_f32x4(a, b, 0x44) + _mm512_shuffle_f32x4(a, b, 0xee);
    const __m512 cd = _mm512_shuffle_f32x4(c, d, 0x44) + _mm512_shuffle_f32x4(c, d, 0xee);
    __m512 sum = _mm512_shuffle_f32x4(ab, cd, 0x88) + _mm512_shuffle_f32x4(ab, cd, 0xdd);
    sum += _mm512_permute_ps(sum, 0xb1);
    sum += _mm512_permute_ps(sum, 0x4e);
    return (Four){sum[0], sum[4], sum[8], sum[12]};
#else
    const Four a = by_fours(first, block), b = by_fours(second, block);
    const Four c = by_fours(third, block), d = by_fours(fourth, block);
    const Four ab = (Four){a[0], b[0], a[2], b[2]} + (Four){a[1], b[1], a[3], b[3]};
    const Four cd = (Four){c[0], d[0], c[2], d[2]} + (Four){c[1], d[1], c[3], d[3]};
    return (Four){ab[0], ab[1], cd[0], cd[1]} + (Four){ab[2], ab[3], cd[2], cd[3]};
#endif
}

#ifdef __linux__
#include <sys/mman.h>
#endif
enum { HUGE_PAGE = 1 << 21 };
// Memory for one block, kept by each thread for its next calls.
struct Workspace {
    real *memory = nullptr;
    size_t size = 0;
    ~Workspace() { free(memory); }
    real *reserve(size_t lanes) {
        if (lanes > size) {
            free(memory);
            void *fresh = nullptr;
            const size_t bytes = lanes * sizeof(real);
            size = posix_memalign(&fresh, bytes < HUGE_PAGE ? 64 : HUGE_PAGE, bytes) ? 0 : lanes;
            memory = (real *)fresh;
#ifdef __linux__  // states of a large circuit are read from anywhere: of small pages, a processor forgets where they are
            if (size && bytes >= HUGE_PAGE) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
        }
        return size ? memory : nullptr;
    }
};
static thread_local Workspace workspace;
