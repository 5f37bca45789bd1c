// ltc_forward for a CPU. Generated from the files in compile/kernels/source.
#define LANES 16
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

#define FUNCTION static inline
#define EACH(i, count) for (int i = 0; i < (count); i++)
#define EACH_IN(i, first, end) for (int i = (first); i < (end); i++)
#define EACH_ANY EACH
#define EACH_SPLIT EACH
#define EACH_BY(count, first, start, end) for (int first = (start); first < (end); first += (count))
#define PARTS 1
#define PART 0
#define JOINED(value) (+(value))
#define INVERSE(value) (1.0f / (value))
#define BARRIER
#define FETCH(to, from, row) fetch(to, from, from##_rows, from##_width, row, block)
#define STORE(to, row, from) store(to, to##_rows, to##_width, row, from, block)
#define TOTAL(value) total(value, block)
#define TOTALS(found, sum, m) const Four found = totals(sum[0][m], sum[1][m], sum[2][m], sum[3][m], block);
// What forward saves for backward lies as lanes, and is not interleaved anew.
#define SAVED(name, row, i) name[(block.index * name##_rows + (row)) * name##_width + (i)]
#define SAVE(name, row, i, value) if (SAVING) SAVED(name, row, i) = value;

// How a dense layer is cut so that its sums stay in registers: units at once, and a square of weights at once
// for the gradients.
#define TILE 8
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

// 2^z = 2^n 2^(z - n): a whole number n goes into the exponent, the rest is a polynomial, good to 1 part in 10^7.
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
    real p = f * 1.3333558e-3f + 9.6181291e-3f;
    p = p * f + 5.5504109e-2f;
    p = p * f + 2.4022651e-1f;
    p = p * f + 6.9314718e-1f;
    p = p * f + 1.0f;
    return (real)((whole)p + ((whole)shifted << 23));
#endif
}

// A block: up to LANES neighbouring rows of the batch. Lanes beyond the last row repeat it and are dropped.
struct Block {
    int64_t index, first;
    int count;
    real valid;  // 1 for the lanes that hold a row, 0 for the others
};

// Threads share `next` and take blocks from it until none is left.
static inline Block take_block(int64_t *next, int64_t batch) {
    const int64_t index = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED), first = index * LANES;
    const int64_t left = batch - first;
    Block block = {index, first, (int)(left < LANES ? left : LANES), {}};
    for (int lane = 0; lane < block.count; lane++) block.valid[lane] = 1.0f;
    return block;
}

// Row `row` of an array (batch, rows, width), one lane per row of the batch.
static inline void fetch(real *to, const float *from, int64_t rows, int64_t width, int64_t row, const Block &block) {
    for (int lane = 0; lane < LANES; lane++) {
        const int64_t b = block.first + (lane < block.count ? lane : block.count - 1);
        const float *source = from + (b * rows + row) * width;
        for (int64_t i = 0; i < width; i++) to[i][lane] = source[i];
    }
}

static inline void store(float *to, int64_t rows, int64_t width, int64_t row, const real *from, const Block &block) {
    for (int lane = 0; lane < block.count; lane++) {
        float *target = to + ((block.first + lane) * rows + row) * width;
        for (int64_t i = 0; i < width; i++) target[i] = from[i][lane];
    }
}

// The sum over a block's rows, always in the same order: lanes are added by fours, then the four sums.
typedef float Four __attribute__((vector_size(16)));
static inline Four by_fours(real value, const Block &block) {
    union { real lane; Four part[LANES / 4]; } all = {value * block.valid};
    Four sum = all.part[0];
    for (int i = 1; i < LANES / 4; i++) sum += all.part[i];
    return sum;
}

static inline float total(real value, const Block &block) {
    const Four sum = by_fours(value, block);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// Four totals in the same order, by additions that serve all of them.
static inline Four totals(real first, real second, real third, real fourth, const Block &block) {
    const Four a = by_fours(first, block), b = by_fours(second, block);
    const Four c = by_fours(third, block), d = by_fours(fourth, block);
    const Four ab = (Four){a[0], b[0], a[2], b[2]} + (Four){a[1], b[1], a[3], b[3]};
    const Four cd = (Four){c[0], d[0], c[2], d[2]} + (Four){c[1], d[1], c[3], d[3]};
    return (Four){ab[0], ab[1], cd[0], cd[1]} + (Four){ab[2], ab[3], cd[2], cd[3]};
}

// Memory for one block, kept by each thread for its next calls.
struct Workspace {
    real *memory = nullptr;
    size_t size = 0;
    ~Workspace() { free(memory); }
    real *reserve(size_t lanes) {
        if (lanes > size) {
            free(memory);
            void *fresh = nullptr;
            size = posix_memalign(&fresh, 64, lanes * sizeof(real)) ? 0 : lanes;
            memory = (real *)fresh;
        }
        return size ? memory : nullptr;
    }
};
static thread_local Workspace workspace;

// Functions of a lane that every target shares; exp2_lane is each target's own.
#define LOG2E 1.44269504f

FUNCTION real sigmoid2(real z) { return INVERSE(1.0f + exp2_lane(z)); }  // sigmoid(-z / log2(e))
FUNCTION real sigmoid(real x) { return sigmoid2(x * -LOG2E); }
FUNCTION real tanh_lane(real x) { return 1.0f - 2.0f * sigmoid2(x * (2.0f * LOG2E)); }
FUNCTION real absolute(real x) { return choose(x < 0.0f, -x, x); }

// The first row of the team of TEAM rows to which row i belongs; teams begin anew at `start`.
#define HEAD(i, start) ((start) + ((i) - (start)) / TEAM * TEAM)

// How many values of a neuron the CfC's backward kernels need from a time step.
#define LOCALS (MAPS == 1 ? 2 : MAPS)

// The array of map m.
#define MAP(m, first, second, third, fourth) ((m) == 0 ? first : (m) == 1 ? second : (m) == 2 ? third : fourth)

// The activations of a backbone, and their derivatives.
enum { LECUN_TANH, RELU, TANH, SILU, GELU, SIGMOID };

// The normal distribution: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26; error 1e-7.
FUNCTION real normal_cdf(real z) {
    const real t = 1.0f / (1.0f + absolute(z) * 0.231641888f);
    real p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const real tail = 0.5f * p * t * exp2_lane(z * z * (-0.5f * LOG2E));
    return choose(z < 0.0f, tail, 1.0f - tail);
}

FUNCTION real activation(int kind, real z) {
    if (kind == LECUN_TANH) return 1.7159f * tanh_lane(0.666f * z);
    if (kind == RELU) return choose(z > 0.0f, z, splat(0.0f));
    if (kind == TANH) return tanh_lane(z);
    if (kind == SILU) return z * sigmoid(z);
    if (kind == SIGMOID) return sigmoid(z);
    return z * normal_cdf(z);
}

FUNCTION real activation_slope(int kind, real z) {
    if (kind == LECUN_TANH || kind == TANH) {
        const real tangent = tanh_lane(kind == TANH ? z : 0.666f * z);
        return (kind == TANH ? 1.0f : 1.7159f * 0.666f) * (1.0f - tangent * tangent);
    }
    if (kind == RELU) return choose(z > 0.0f, splat(1.0f), splat(0.0f));
    if (kind == SILU || kind == SIGMOID) {
        const real s = sigmoid(z), slope = s * (1.0f - s);
        return kind == SILU ? s + z * slope : slope;
    }
    return normal_cdf(z) + z * 0.398942280f * exp2_lane(z * z * (-0.5f * LOG2E));
}

extern "C" int ltc_forward(const int64_t *sizes, const float *numbers,
    void *const *arrays, int64_t batch, int64_t *next) {
const int T = (int)sizes[0];
const int KEEP = (int)sizes[1];
const int SAVING = (int)sizes[2];
const int I = (int)sizes[3];
const int N = (int)sizes[4];
const int M = (int)sizes[5];
const int E = (int)sizes[6];
const int S = (int)sizes[7];
const int UNFOLDS = (int)sizes[8];
const float EPSILON = numbers[0];
const int *__restrict const ptr = (const int *)arrays[0];
const int *__restrict const pre = (const int *)arrays[1];
const int *__restrict const sensory_ptr = (const int *)arrays[2];
const int *__restrict const sensory_pre = (const int *)arrays[3];
const float *__restrict const w = (const float *)arrays[4];
const float *__restrict const mu = (const float *)arrays[5];
const float *__restrict const sigma = (const float *)arrays[6];
const float *__restrict const erev = (const float *)arrays[7];
const float *__restrict const sensory_w = (const float *)arrays[8];
const float *__restrict const sensory_mu = (const float *)arrays[9];
const float *__restrict const sensory_sigma = (const float *)arrays[10];
const float *__restrict const sensory_erev = (const float *)arrays[11];
const float *__restrict const gleak = (const float *)arrays[12];
const float *__restrict const vleak = (const float *)arrays[13];
const float *__restrict const cm = (const float *)arrays[14];
const float *__restrict const input_w = (const float *)arrays[15];
const float *__restrict const input_b = (const float *)arrays[16];
const float *__restrict const output_w = (const float *)arrays[17];
const float *__restrict const output_b = (const float *)arrays[18];
const float *__restrict const x = (const float *)arrays[19];
const int64_t x_rows = T, x_width = I;
const float *__restrict const timespans = (const float *)arrays[20];
const int64_t timespans_rows = T, timespans_width = 1;
const float *__restrict const state = (const float *)arrays[21];
const int64_t state_rows = 1, state_width = N;
float *__restrict const outputs = (float *)arrays[22];
const int64_t outputs_rows = T, outputs_width = M;
float *__restrict const last = (float *)arrays[23];
const int64_t last_rows = 1, last_width = N;
float *__restrict const kept = (float *)arrays[24];
const int64_t kept_rows = (T+KEEP-1)/KEEP, kept_width = N;
real *__restrict const states = (real *)arrays[25];
const int64_t states_rows = SAVING*(T*UNFOLDS+1), states_width = N;
real *__restrict const fractions = (real *)arrays[26];
const int64_t fractions_rows = SAVING*T*UNFOLDS, fractions_width = N;
real *memory = workspace.reserve(((int64_t)(E) + LANES - 1) / LANES + ((int64_t)(E) + LANES - 1) / LANES + ((int64_t)(E) + LANES - 1) / LANES + ((int64_t)(S) + LANES - 1) / LANES + ((int64_t)(S) + LANES - 1) / LANES + ((int64_t)(S) + LANES - 1) / LANES + (int64_t)(2*N) + (int64_t)(I) + (int64_t)(I) + (int64_t)(1) + (int64_t)(N) + (int64_t)(N) + (int64_t)(M));
if (!memory) return 1;
float *__restrict const slope = (float *)memory;
memory += ((int64_t)(E) + LANES - 1) / LANES;
float *__restrict const shift = (float *)memory;
memory += ((int64_t)(E) + LANES - 1) / LANES;
float *__restrict const push = (float *)memory;
memory += ((int64_t)(E) + LANES - 1) / LANES;
float *__restrict const sensory_slope = (float *)memory;
memory += ((int64_t)(S) + LANES - 1) / LANES;
float *__restrict const sensory_shift = (float *)memory;
memory += ((int64_t)(S) + LANES - 1) / LANES;
float *__restrict const sensory_push = (float *)memory;
memory += ((int64_t)(S) + LANES - 1) / LANES;
real *__restrict const v = (real *)memory;
memory += (int64_t)(2*N);
real *__restrict const sample = (real *)memory;
memory += (int64_t)(I);
real *__restrict const input = (real *)memory;
memory += (int64_t)(I);
real *__restrict const span = (real *)memory;
memory += (int64_t)(1);
real *__restrict const drive = (real *)memory;
memory += (int64_t)(N);
real *__restrict const load = (real *)memory;
memory += (int64_t)(N);
real *__restrict const shown = (real *)memory;
memory += (int64_t)(M);
for (Block block; (block = take_block(next, batch)).count > 0;) {
// ltc_forward: a whole LTC sequence for one block of the batch.
//
#define REMEMBER_SENSORY(s)
#define REMEMBER(fraction)                                   \
    SAVE(states, step * UNFOLDS + u + 1, j, v[next + j]) \
    SAVE(fractions, step * UNFOLDS + u, j, fraction)

// ltc_fold: sigmoid(sigma (v - mu)) = 1 / (1 + 2^(shift + slope v)), one multiply-add in front of the exponential.
EACH_SPLIT(j, N) {
    for (int k = ptr[j] + PART; k < ptr[j + 1]; k += PARTS) {
        slope[k] = -LOG2E * sigma[k];
        shift[k] = LOG2E * sigma[k] * mu[k];
        push[k] = w[k] * erev[k];
    }
    for (int k = sensory_ptr[j] + PART; k < sensory_ptr[j + 1]; k += PARTS) {
        sensory_slope[k] = -LOG2E * sensory_sigma[k];
        sensory_shift[k] = LOG2E * sensory_sigma[k] * sensory_mu[k];
        sensory_push[k] = sensory_w[k] * sensory_erev[k];
    }
}
int now = 0, next = N;
real rate;
FETCH(v, state, 0);
EACH(j, N) { SAVE(states, 0, j, v[j]) }
for (int step = 0; step < T; step++) {
    if (step % KEEP == 0) STORE(kept, step / KEEP, v + now);
    // ltc_inputs: what does not change over the unfolds of time step `step`: `rate` is 1 / dt, and `drive` and `load`
    // are each neuron's numerator and denominator without the recurrent synapses.
    FETCH(sample, x, step);
    FETCH(span, timespans, step);
    BARRIER
    rate = (float)UNFOLDS / span[0];
    EACH(i, I) input[i] = sample[i] * input_w[i] + input_b[i];
    BARRIER
    EACH_SPLIT(j, N) {
        real num = PART ? splat(0.0f) : splat(gleak[j] * vleak[j]);
        real den = PART ? splat(0.0f) : cm[j] * rate + (gleak[j] + EPSILON);
        for (int k = sensory_ptr[j] + PART; k < sensory_ptr[j + 1]; k += PARTS) {
            const real s = sigmoid2(sensory_slope[k] * input[sensory_pre[k]] + sensory_shift[k]);
            num += sensory_push[k] * s;
            den += sensory_w[k] * s;
            REMEMBER_SENSORY(s)
        }
        num = JOINED(num);
        den = JOINED(den);
        if (PART == 0) {
            drive[j] = num;
            load[j] = den;
        }
    }
    for (int u = 0; u < UNFOLDS; u++) {
        // ltc_unfold: one solver step, from the states v[now...] to v[next...].
        EACH_SPLIT(j, N) {
            real num = PART ? splat(0.0f) : cm[j] * rate * v[now + j] + drive[j];
            real den = PART ? splat(0.0f) : load[j];
            for (int k = ptr[j] + PART; k < ptr[j + 1]; k += PARTS) {
                const real s = sigmoid2(slope[k] * v[now + pre[k]] + shift[k]);
                num += push[k] * s;
                den += w[k] * s;
            }
            num = JOINED(num);
            den = JOINED(den);
            if (PART == 0) {
                const real fraction = INVERSE(den);
                v[next + j] = num * fraction;
                REMEMBER(fraction)
            }
        }
        BARRIER
        const int old = now;
        now = next;
        next = old;
    }
    EACH(j, M) shown[j] = v[now + j] * output_w[j] + output_b[j];
    STORE(outputs, step, shown);
}
STORE(last, 0, v + now);

}
return 0;
}
