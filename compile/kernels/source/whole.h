// Kernels over whole arrays, as the pool runs them: threads share `next` and take parts until none is left. What a part
// is does not depend on the number of threads, nor does any sum.

static const int64_t PIECE = 1 << 14;  // numbers of an array that one thread does at once
static const int64_t SOME_ROWS = 32;   // rows, likewise

FUNCTION real load(const float *from, int64_t count = LANES) {
    real found = {};
    if (count >= LANES) memcpy(&found, from, sizeof found);  // one instruction; the other is a call
    else memcpy(&found, from, 4 * count);
    return found;
}
FUNCTION void put(float *to, real value, int64_t count = LANES) {
    if (count >= LANES) memcpy(to, &value, sizeof value);
    else memcpy(to, &value, 4 * count);
}
FUNCTION float added(real value) {
    float sum = 0.0f;
    for (int lane = 0; lane < LANES; lane++) sum += value[lane];
    return sum;
}
#define TAKE(first, count, end)                                                                             \
    for (int64_t first; (first = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED) * (count)) < (end);)

// arrays: x, y. numbers: a, b.
template <int CURVE, bool SLOPE>
static int curve_part(const int64_t *, const float *numbers, void *const *arrays, int64_t n, int64_t *next) {
    const float a = numbers[0], b = numbers[1], *x = (float *)arrays[0];
    float *y = (float *)arrays[1];
    TAKE(first, PIECE, n) {
        const int64_t end = std::min(n, first + PIECE);
        int64_t i = first;
        for (; i + LANES <= end; i += LANES)
            put(y + i, SLOPE ? slope<CURVE>(load(x + i), a, b) : curve<CURVE>(load(x + i), a, b));
        if (i < end) {
            const real z = load(x + i, end - i);
            put(y + i, SLOPE ? slope<CURVE>(z, a, b) : curve<CURVE>(z, a, b), end - i);
        }
    }
    return 0;
}
template <size_t... AT> static KernelFunction curve_at(int curve, bool slope, std::index_sequence<AT...>) {
    static const KernelFunction values[] = {curve_part<AT, false>...}, slopes[] = {curve_part<AT, true>...};
    return (slope ? slopes : values)[curve];
}
static KernelFunction curve_function(int curve, bool slope) {
    return curve_at(curve, slope, std::make_index_sequence<CURVES>());
}

// The sum of f(x[i]) over a row, by four vectors side by side, each of few numbers first: as exact as NumPy's.
template <class F> FUNCTION float row_sum(const float *x, int64_t n, F f) {
    real sum[4] = {};
    int64_t i = 0;
    while (i + 4 * LANES <= n) {
        real part[4] = {};
        for (const int64_t end = std::min(n, i + 64 * LANES); i + 4 * LANES <= end; i += 4 * LANES)
            _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) part[k] += f(i + k * LANES, load(x + i + k * LANES));
        _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) sum[k] += part[k];
    }
    for (; i + LANES <= n; i += LANES) sum[0] += f(i, load(x + i));
    float rest = 0.0f;
    if (i < n) {
        const real last = f(i, load(x + i, n - i));
        for (int64_t lane = 0; lane < n - i; lane++) rest += last[lane];
    }
    return added((sum[0] + sum[1]) + (sum[2] + sum[3])) + rest;
}

enum Rowwise { SOFTMAX, LOG_SOFTMAX, LAYER_NORM, GLU, ROW_SUM };

// arrays: x, [weight, bias], y. sizes: what, the length of a row, whether there is a weight, whether a bias.
static int row_part(const int64_t *sizes, const float *numbers, void *const *arrays, int64_t rows, int64_t *next) {
    const int64_t what = sizes[0], n = sizes[1];
    const float *const weight = sizes[2] ? (float *)arrays[1] : nullptr;
    const float *const bias = sizes[3] ? (float *)arrays[1 + sizes[2]] : nullptr;
    float *const result = (float *)arrays[1 + sizes[2] + sizes[3]];
    TAKE(first, SOME_ROWS, rows) for (int64_t r = first; r < std::min(rows, first + SOME_ROWS); r++) {
        const float *const x = (float *)arrays[0] + r * n;
        float *const y = result + r * n;
        const auto same = [](int64_t, real z) { return z; };
        if (what == ROW_SUM) {
            result[r] = row_sum(x, n, same) / numbers[0];
            continue;
        }
        if (what == GLU) {
            const int64_t half = n / 2;
            float *const z = result + r * half;
            for (int64_t i = 0; i < half; i += LANES)
                put(z + i, load(x + i, half - i) * sigmoid_exact(load(x + half + i, half - i)), half - i);
            continue;
        }
        real factor, shift;  // y = factor x + shift, but for the softmax
        if (what == LAYER_NORM) {
            const float mean = row_sum(x, n, same) / n;
            const float square = row_sum(x, n, [mean](int64_t, real z) { return (z - mean) * (z - mean); }) / n;
            factor = splat(1.0f / std::sqrt(square + numbers[0]));
            shift = splat(mean);
        } else {
            real most = splat(-INFINITY);
            int64_t i = 0;
            for (; i + LANES <= n; i += LANES) {
                const real z = load(x + i);
                most = choose(z > most, z, most);
            }
            float top = -INFINITY;
            for (int lane = 0; lane < LANES; lane++) top = std::max(top, most[lane]);
            for (; i < n; i++) top = std::max(top, x[i]);
            const float sum = what == SOFTMAX ? row_sum(x, n, [=](int64_t i, real z) {
                const real e = exp_lane(z - top);
                put(y + i, e, n - i);
                return e;
            }) : row_sum(x, n, [=](int64_t, real z) { return exp_lane(z - top); });
            if (what == SOFTMAX) {
                const float one = 1.0f / sum;
                for (i = 0; i < n; i += LANES) put(y + i, load(y + i, n - i) * one, n - i);
                continue;
            }
            factor = splat(1.0f);
            shift = splat(top);
            const float rest = std::log(sum);
            for (i = 0; i < n; i += LANES) put(y + i, load(x + i, n - i) - top - rest, n - i);
            continue;
        }
        for (int64_t i = 0; i < n; i += LANES) {
            real z = (load(x + i, n - i) - shift) * factor;
            if (weight) z = z * load(weight + i, n - i);
            if (bias) z = z + load(bias + i, n - i);
            put(y + i, z, n - i);
        }
    }
    return 0;
}

// The sum of each piece of an array: arrays x, sums.
static int piece_sums(const int64_t *, const float *, void *const *arrays, int64_t n, int64_t *next) {
    TAKE(first, PIECE, n)
        ((float *)arrays[1])[first / PIECE] =
            row_sum((float *)arrays[0] + first, std::min(PIECE, n - first), [](int64_t, real z) { return z; });
    return 0;
}

// The sum of each column of an array of `sizes[0]` rows, over numbers[0]: arrays x, y.
static int column_sums(const int64_t *sizes, const float *numbers, void *const *arrays, int64_t n, int64_t *next) {
    const int64_t WIDTH = 4 * LANES;
    TAKE(first, WIDTH, n) {
        real sum[4] = {};
        const int64_t count = std::min(WIDTH, n - first);
        const float *x = (float *)arrays[0] + first;
        if (count == WIDTH)
            for (int64_t r = 0; r < sizes[0]; r++, x += n)
                for (int k = 0; k < 4; k++) sum[k] += load(x + k * LANES);
        else
            for (int64_t r = 0; r < sizes[0]; r++, x += n)
                for (int64_t i = 0; i < count; i++) ((float *)sum)[i] += x[i];
        for (int k = 0; k < 4; k++)
            if (count > k * LANES) put((float *)arrays[1] + first + k * LANES, sum[k] / numbers[0], count - k * LANES);
    }
    return 0;
}

// Threefry of Salmon et al., SC 2011, with 20 rounds: the random bits of MLX, for LANES counters at once.
FUNCTION bits turned(bits x, int by) { return (x << by) | (x >> (32 - by)); }
FUNCTION void threefry(const uint32_t *key, bits &x, bits &y) {
    static const int turns[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
    const uint32_t keys[3] = {key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDA};
    x += keys[0];
    y += keys[1];
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 4; k++) {
            x += y;
            y = turned(y, turns[i % 2][k]) ^ x;
        }
        x += keys[(i + 1) % 3];
        y += keys[(i + 2) % 3] + (uint32_t)(i + 1);
    }
}

enum Drawn { UNIFORM, NORMAL };
FUNCTION real drawn(int64_t what, bits from) {
    const real u = at_most(__builtin_convertvector(from, real) * 0x1p-32f, 0x1.fffffep-1f);  // below 1
    return what == UNIFORM ? u : 1.41421356f * erfinv_lane(2.0f * u - 0x1.fffffep-1f);
}

// arrays: key, y. sizes: what, how many numbers. n: how many pairs of them. The two of a pair lie half an array apart.
static int draw_part(const int64_t *sizes, const float *, void *const *arrays, int64_t n, int64_t *next) {
    const uint32_t *const key = (uint32_t *)arrays[0];
    float *const y = (float *)arrays[1];
    const int64_t what = sizes[0], all = sizes[1], half = all / 2, odd = all % 2;
    TAKE(first, PIECE, n) for (int64_t i = first; i < std::min(n, first + PIECE); i += LANES) {
        const int64_t count = std::min<int64_t>(LANES, n - i);
        bits low, high;
        for (int lane = 0; lane < LANES; lane++) {
            low[lane] = (uint32_t)(i + lane);
            high[lane] = i + lane < half ? (uint32_t)(half + odd + i + lane) : 0;
        }
        threefry(key, low, high);
        const real a = drawn(what, low), b = drawn(what, high);
        put(y + i, a, count);
        const int64_t seconds = std::min<int64_t>(count, half - i);
        if (seconds > 0) put(y + half + odd + i, b, seconds);
    }
    return 0;
}

// y_j = sum over k from ptr[j] to ptr[j + 1] of x[from[k]] w[order[k]], for each row.
// arrays: x, w, ptr, from, order, y. sizes: numbers in a row of x, and of y.
static int masked_part(const int64_t *sizes, const float *, void *const *arrays, int64_t rows, int64_t *next) {
    const int64_t n = sizes[0], m = sizes[1];
    const float *const w = (float *)arrays[1];
    const int32_t *const ptr = (int32_t *)arrays[2], *const from = (int32_t *)arrays[3], *const order = (int32_t *)arrays[4];
    real *const x = workspace.reserve(n + m), *const y = x + n;
    if (!x) return 1;
    while (true) {
        const Block block = take_block(next, rows);
        if (block.first >= rows) return 0;
        fetch(x, (float *)arrays[0], 1, n, 0, block);
        for (int64_t j = 0; j < m; j++) {
            real sum = {};
            for (int32_t k = ptr[j]; k < ptr[j + 1]; k++) sum += x[from[k]] * w[order[k]];
            y[j] = sum;
        }
        store((float *)arrays[5], 1, m, 0, y, block);
    }
}

static const int64_t SHARES = 16;  // at most so many partial sums

// d_w[k] = sum over rows of x[pre[k]] c[post[k]], one partial sum for each share of the rows.
// arrays: x, c, pre, post, sums. sizes: numbers in a row of x and of c, synapses, shares.
static int synapse_sums(const int64_t *sizes, const float *, void *const *arrays, int64_t rows, int64_t *next) {
    const int64_t n = sizes[0], m = sizes[1], e = sizes[2], shares = sizes[3];
    const int32_t *const pre = (int32_t *)arrays[2], *const post = (int32_t *)arrays[3];
    real *const x = workspace.reserve(n + m + e), *const c = x + n, *const sum = c + m;
    if (!x) return 1;
    const int64_t blocks = (rows + LANES - 1) / LANES;
    TAKE(share, 1, shares) {
        memset(sum, 0, e * sizeof(real));
        int64_t b = share * blocks / shares;
        const int64_t end = (share + 1) * blocks / shares;
        for (; b < end;) {
            const Block block = take_block(&b, rows);
            fetch(x, (float *)arrays[0], 1, n, 0, block);
            fetch(c, (float *)arrays[1], 1, m, 0, block);
            for (int64_t i = 0; i < m; i++) c[i] *= block.valid;
            for (int64_t k = 0; k < e; k++) sum[k] += x[pre[k]] * c[post[k]];
        }
        float *const to = (float *)arrays[4] + share * e;
        for (int64_t k = 0; k < e; k++) to[k] = added(sum[k]);
    }
    return 0;
}

// y_j = sum over k from ptr[j] to ptr[j + 1] of a[k], for each row. arrays: a, ptr, y. sizes: numbers in a row of a, of y.
static int segment_part(const int64_t *sizes, const float *, void *const *arrays, int64_t rows, int64_t *next) {
    const int64_t n = sizes[0], m = sizes[1];
    const int32_t *const ptr = (int32_t *)arrays[1];
    TAKE(first, SOME_ROWS, rows) for (int64_t r = first; r < std::min(rows, first + SOME_ROWS); r++) {
        const float *const a = (float *)arrays[0] + r * n;
        float *const y = (float *)arrays[2] + r * m;
        for (int64_t j = 0; j < m; j++) {
            const int64_t count = ptr[j + 1] - ptr[j];
            float sum = 0.0f;
            if (count >= 4 * LANES) sum = row_sum(a + ptr[j], count, [](int64_t, real z) { return z; });
            else for (int32_t k = ptr[j]; k < ptr[j + 1]; k++) sum += a[k];
            y[j] = sum;
        }
    }
    return 0;
}

// a_k = y[post[k]], for each row. arrays: y, post, a. sizes: numbers in a row of y, of a.
static int expand_part(const int64_t *sizes, const float *, void *const *arrays, int64_t rows, int64_t *next) {
    const int64_t m = sizes[0], n = sizes[1];
    const int32_t *const post = (int32_t *)arrays[1];
    TAKE(first, SOME_ROWS, rows) for (int64_t r = first; r < std::min(rows, first + SOME_ROWS); r++) {
        const float *const y = (float *)arrays[0] + r * m;
        float *const a = (float *)arrays[2] + r * n;
        for (int64_t k = 0; k < n; k++) a[k] = y[post[k]];
    }
    return 0;
}
