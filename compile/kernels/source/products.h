// Products of matrices on a CPU, for what is dense: a column of lanes by a matrix of weights, and, over time steps,
// lanes by lanes. They are functions of their own: inside a kernel's one large function the compiler runs out of
// registers for addresses, at twice the time.

// Sums that stay in registers: TALL at once in a product, a rectangle HIGH by four in an outer one.
#define TALL (REGISTERS >= 32 ? 16 : REGISTERS >= 16 ? 8 : 4)
#define HIGH (REGISTERS >= 32 ? 6 : REGISTERS >= 16 ? 3 : 2)
#define ADD_PRODUCTS(to, count, from, width, weights, across, along) \
    if ((along) == 1) add_by_rows(to, count, from, width, weights, across); \
    else add_by_columns(to, count, from, width, weights, along);
#define ADD_OUTER(to, across, left, left_step, count, right, right_step, width, steps) \
    add_outer(to, across, left, left_step, count, right, right_step, width, steps, block);

// From `o` on, as many as come out even: to[o] += the sum over i of weights[o * across + i * along] * from[i].
template <int SUMS>
static inline int add_tiles(int o, real *to, int count, const real *from, int width, const float *weights,
                            int64_t across, int64_t along) {
    for (; o + SUMS <= count; o += SUMS) {
        real sum[SUMS];
        const float *weight = weights + o * across;
        for (int r = 0; r < SUMS; r++) sum[r] = to[o + r];
        for (int i = 0; i < width; i++, weight += along) {
            for (int r = 0; r < SUMS; r++) sum[r] += weight[r * across] * from[i];
        }
        for (int r = 0; r < SUMS; r++) to[o + r] = sum[r];
    }
    return o;
}

// Weights that lie output by output: of eight rows, one address and four distances reach all. Compilers would rather
// have an address for each, which are more than there are registers.
#if defined(__x86_64__)
#define AS_IT_IS(value) asm("" : "+r"(value));
#else
#define AS_IT_IS(value)
#endif
template <int EIGHTS>
static inline int add_eights(int o, real *to, int count, const real *from, int width, const float *weights,
                             int64_t across) {
    const int SUMS = 8 * EIGHTS;
    int64_t three = 3 * across, five = 5 * across, seven = 7 * across;
    AS_IT_IS(three) AS_IT_IS(five) AS_IT_IS(seven)
    for (; o + SUMS <= count; o += SUMS) {
        real sum[SUMS];
        const float *weight[EIGHTS];
        for (int k = 0; k < EIGHTS; k++) {
            weight[k] = weights + (o + 8 * k) * across;
            AS_IT_IS(weight[k])
        }
        for (int r = 0; r < SUMS; r++) sum[r] = to[o + r];
        for (int i = 0; i < width; i++) {
            for (int k = 0; k < EIGHTS; k++) {
                const float *const w = weight[k]++;
                real *const s = sum + 8 * k;
                s[0] += w[0] * from[i];
                s[1] += w[across] * from[i];
                s[2] += w[2 * across] * from[i];
                s[3] += w[three] * from[i];
                s[4] += w[4 * across] * from[i];
                s[5] += w[five] * from[i];
                s[6] += w[2 * three] * from[i];
                s[7] += w[seven] * from[i];
            }
        }
        for (int r = 0; r < SUMS; r++) to[o + r] = sum[r];
    }
    return o;
}

static __attribute__((noinline)) void add_by_rows(real *to, int count, const real *from, int width,
                                                  const float *weights, int64_t across) {
    int o = 0;
#ifdef AVX512
    o = add_eights<2>(o, to, count, from, width, weights, across);
#endif
    if (TALL >= 8) o = add_eights<1>(o, to, count, from, width, weights, across);
    o = add_tiles<4>(o, to, count, from, width, weights, across, 1);
    add_tiles<1>(o, to, count, from, width, weights, across, 1);
}

// Weights that lie input by input.
static __attribute__((noinline)) void add_by_columns(real *to, int count, const real *from, int width,
                                                     const float *weights, int64_t along) {
    int o = add_tiles<TALL>(0, to, count, from, width, weights, 1, along);
    o = add_tiles<4>(o, to, count, from, width, weights, 1, along);
    add_tiles<1>(o, to, count, from, width, weights, 1, along);
}

// A rectangle of sums: `left` from some output on, `right` from some input on.
template <int ROWS, int COLUMNS>
static inline void add_rectangle(float *to, int64_t across, const real *left, int64_t left_step, const real *right,
                                 int64_t right_step, int steps, const Block &block) {
    real sum[ROWS][4] = {};
    for (int c = 0; c < steps; c++, left += left_step, right += right_step) {
        for (int r = 0; r < ROWS; r++) {
            for (int q = 0; q < COLUMNS; q++) sum[r][q] += left[r] * right[q];
        }
    }
    for (int r = 0; r < ROWS; r++, to += across) {
        const Four found = totals(sum[r][0], sum[r][1], sum[r][2], sum[r][3], block);
        for (int q = 0; q < COLUMNS; q++) to[q] += found[q];
    }
}

template <int ROWS>
static inline int add_rectangles(int o, float *to, int64_t across, const real *left, int64_t left_step, int count,
                                 const real *right, int64_t right_step, int width, int steps, const Block &block) {
    for (; o + ROWS <= count; o += ROWS) {
        float *const row = to + o * across;
        int i = 0;
        for (; i + 4 <= width; i += 4) {
            add_rectangle<ROWS, 4>(row + i, across, left + o, left_step, right + i, right_step, steps, block);
        }
        for (; i < width; i++) {
            add_rectangle<ROWS, 1>(row + i, across, left + o, left_step, right + i, right_step, steps, block);
        }
    }
    return o;
}

// to[o * across + i] += the total over time steps and rows of left[o] * right[i], which have a row for each step.
static __attribute__((noinline)) void add_outer(float *to, int64_t across, const real *left, int64_t left_step,
                                                int count, const real *right, int64_t right_step, int width, int steps,
                                                const Block &block) {
    int o = add_rectangles<HIGH>(0, to, across, left, left_step, count, right, right_step, width, steps, block);
    o = add_rectangles<(HIGH + 1) / 2>(o, to, across, left, left_step, count, right, right_step, width, steps, block);
    add_rectangles<1>(o, to, across, left, left_step, count, right, right_step, width, steps, block);
}
