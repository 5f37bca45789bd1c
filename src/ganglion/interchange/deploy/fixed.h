// The nearest number that 32 bits hold.
static inline int32_t NAME_fit(int64_t x) {
    return x > INT32_MAX ? INT32_MAX : x < -INT32_MAX ? -INT32_MAX : (int32_t)x;
}

// What is no number counts as 0.
static inline int32_t NAME_fixed(float x) {
    const float scaled = x * (float)(INT64_C(1) << NAME_fraction);
    if (x != x) return 0;
    if (scaled >= 2147483520.0f) return INT32_MAX;
    if (scaled <= -2147483520.0f) return -INT32_MAX;
    return (int32_t)(scaled < 0.0f ? scaled - 0.5f : scaled + 0.5f);
}

static inline float NAME_float(int32_t x) { return (float)x / (float)(INT64_C(1) << NAME_fraction); }

static inline int32_t NAME_abs(int32_t x) { return x < 0 ? -x : x; }

static inline int32_t NAME_max(int32_t a, int32_t b) { return a > b ? a : b; }

static inline int32_t NAME_min(int32_t a, int32_t b) { return a < b ? a : b; }

static inline int32_t NAME_add(int32_t a, int32_t b) { return NAME_fit((int64_t)a + b); }

static inline int32_t NAME_subtract(int32_t a, int32_t b) { return NAME_fit((int64_t)a - b); }

// Rounded, since cutting off would push every sum the same way.
static inline int64_t NAME_product(int32_t a, int32_t b) {
    return ((int64_t)a * b + (INT64_C(1) << (NAME_fraction - 1))) >> NAME_fraction;
}

static inline int32_t NAME_multiply(int32_t a, int32_t b) { return NAME_fit(NAME_product(a, b)); }

static inline int32_t NAME_divide(int32_t a, int32_t b) {
    if (b == 0) return a < 0 ? -INT32_MAX : INT32_MAX;
    return NAME_fit((int64_t)a * (INT64_C(1) << NAME_fraction) / b);
}

// 2^-z for z of at least 0, with 30 bits behind the point: the nearest whole number shifts, the rest goes through a
// polynomial good to 1 part in 10^7.
static inline int32_t NAME_halved(int64_t z) {
    const int64_t whole = (z + (INT64_C(1) << (NAME_fraction - 1))) >> NAME_fraction;
    const int64_t rest = (whole << NAME_fraction) - z;
    const int64_t f = rest * (INT64_C(1) << (30 - NAME_fraction));
    if (whole > 31) return 0;
    int64_t p = ((f * 1423202) >> 30) + 10385230;
    p = ((f * p) >> 30) + 59601040;
    p = ((f * p) >> 30) + 257936752;
    p = ((f * p) >> 30) + 744260860;
    p = ((f * p) >> 30) + (INT64_C(1) << 30);
    return (int32_t)((p + (whole ? INT64_C(1) << (whole - 1) : 0)) >> whole);
}

// e^-x for x of at least 0, with 30 bits behind the point.
static inline int32_t NAME_decay(int64_t x) { return NAME_halved((x * INT64_C(1549082005)) >> 30); }

static inline int32_t NAME_sigmoid(int32_t x) {
    const int64_t one = INT64_C(1) << 30, open = one * one / (one + NAME_decay(NAME_abs(x)));
    return (int32_t)((x < 0 ? one - open : open) >> (30 - NAME_fraction));
}

static inline int32_t NAME_tanh(int32_t x) {
    const int64_t one = INT64_C(1) << 30, fallen = NAME_decay((int64_t)NAME_abs(x) * 2);
    const int32_t found = (int32_t)(((one - fallen) * one / (one + fallen)) >> (30 - NAME_fraction));
    return x < 0 ? -found : found;
}

static inline int32_t NAME_exp(int32_t x) {
    if (x <= 0) return NAME_decay(-(int64_t)x) >> (30 - NAME_fraction);
    const int64_t fallen = NAME_decay(x);
    return fallen ? NAME_fit((INT64_C(1) << (30 + NAME_fraction)) / fallen) : INT32_MAX;
}

// What is rounded down; 0 for what is negative.
static inline int32_t NAME_sqrt(int32_t x) {
    uint64_t rest = (uint64_t)(x > 0 ? x : 0) << NAME_fraction, root = 0;
    for (uint64_t bit = UINT64_C(1) << 60; bit; bit >>= 2) {
        const int fits = rest >= root + bit;
        rest -= fits ? root + bit : 0;
        root = (root >> 1) + (fits ? bit : 0);
    }
    return (int32_t)root;
}
