// Functions of one lane for whole arrays: each with its slope. Those of functions.h are faster, and good to 1e-7 of 1;
// these are good to a few parts in 10^7 of each value, and keep infinities and NaN, as NumPy's do.

typedef uint32_t bits __attribute__((vector_size(4 * LANES)));

FUNCTION real absolute(real x) { return choose(x < 0.0f, -x, x); }
FUNCTION real at_most(real x, float most) { return choose(x > most, splat(most), x); }    // NaN stays
FUNCTION real at_least(real x, float least) { return choose(x < least, splat(least), x); }
FUNCTION real power2(whole n) { return (real)((n + 127) << 23); }  // 2^n

// e^x = 2^n e^r with |r| <= ln(2) / 2: n, and e^r - 1, by the polynomial of expf in Moshier's Cephes library.
struct Parted { whole n; real rest; };
FUNCTION Parted parted_exp(real x) {
    const real shifted = x * 1.44269504f + 12582912.0f, n = shifted - 12582912.0f;
    const real r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    real p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return {(whole)shifted - 0x4B400000, p * (r * r) + r};
}
FUNCTION real exp_lane(real x) {
    const Parted e = parted_exp(at_least(at_most(x, 89.5f), -104.5f));
    const whole half = e.n >> 1;  // in two steps, as 2^n alone may be beyond floats where the product is not
    return (1.0f + e.rest) * power2(half) * power2(e.n - half);
}
FUNCTION real exp_less_1(real x) {  // for x <= 0
    const Parted e = parted_exp(at_least(x, -30.0f));
    const real scale = power2(e.n);
    return e.rest * scale + (scale - 1.0f);
}

// log(1 + f) for sqrt(1/2) <= 1 + f <= sqrt(2): logf of Cephes.
FUNCTION real log_near_1(real f) {
    real p = f * 7.0376836292e-2f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    const real square = f * f;
    return f + (p * f - 0.5f) * square;
}
FUNCTION real log_of_1_plus(real z) {  // for 0 <= z <= 1
    const whole large = z > 0.41421356f;
    return log_near_1(choose(large, 0.5f * z - 0.5f, z)) + choose(large, splat(0.69314718f), splat(0.0f));
}
FUNCTION real log_lane(real x) {  // for normal numbers above zero
    const whole n = ((whole)x - 0x3F3504F3) >> 23;  // x = 2^n m with sqrt(1/2) <= m <= sqrt(2)
    const real m = (real)((whole)x - (n << 23));
    const real k = __builtin_convertvector(n, real);
    return k * 0.693359375f + (log_near_1(m - 1.0f) - k * 2.12194440e-4f);
}

FUNCTION real tanh_exact(real x) {
    const real t = exp_less_1(-2.0f * absolute(x)), y = t / (-2.0f - t);
    return choose(x < 0.0f, -y, y);
}
FUNCTION real sigmoid_exact(real x) {
    const real z = exp_lane(-absolute(x));
    return choose(x < 0.0f, z, splat(1.0f)) / (1.0f + z);
}
FUNCTION real zero_or(real x) { return choose(x < 0.0f, splat(0.0f), x); }
FUNCTION real softplus_lane(real x) { return zero_or(x) + log_of_1_plus(exp_lane(-absolute(x))); }

// erf by the rational function that XLA and Eigen use; beyond 4 it is 1.
FUNCTION real erf_lane(real given) {
    const real x = at_least(at_most(given, 4.0f), -4.0f), z = x * x;
    real p = z * -2.72614225801306e-10f + 2.77068142495902e-08f;
    p = p * z - 2.10102402082508e-06f;
    p = p * z - 5.69250639462346e-05f;
    p = p * z - 7.34990630326855e-04f;
    p = p * z - 2.95459980854025e-03f;
    p = p * z - 1.60960333262415e-02f;
    real q = z * -1.45660718464996e-05f - 2.13374055278905e-04f;
    q = q * z - 1.68282697438203e-03f;
    q = q * z - 7.37332916720468e-03f;
    q = q * z - 1.42647390514189e-02f;
    return x * p / q;
}
FUNCTION real normal_below(real x) { return 0.5f + 0.5f * erf_lane(x * 0.70710678f); }
FUNCTION real normal_density(real x) { return 0.39894228f * exp_lane(-0.5f * x * x); }

// The inverse of erf, as MLX has it: two polynomials in log(1 - x^2), by Norbert Juffa.
FUNCTION real erfinv_lane(real x) {
    const real t = log_lane(1.0f - x * x);
    real p = t * 3.03697567e-10f + 2.93243101e-8f;
    p = p * t + 1.22150334e-6f;
    p = p * t + 2.84108955e-5f;
    p = p * t + 3.93552968e-4f;
    p = p * t + 3.02698812e-3f;
    p = p * t + 4.83185798e-3f;
    p = p * t - 2.64646143e-1f;
    p = p * t + 8.40016484e-1f;
    real q = t * 5.43877832e-9f + 1.43285448e-7f;
    q = q * t + 1.22774793e-6f;
    q = q * t + 1.12963626e-7f;
    q = q * t - 5.61530760e-5f;
    q = q * t - 1.47697632e-4f;
    q = q * t + 2.31468678e-3f;
    q = q * t + 1.15392581e-2f;
    q = q * t - 2.32015476e-1f;
    q = q * t + 8.86226892e-1f;
    return x * choose(absolute(t) > 6.125f, p, q);
}

// The curves that Python names: these words in lower case, in this order.
enum Curve {
    CELU, ELU, EXPONENTIAL, GELU, GELU_APPROX, GELU_FAST_APPROX, HARD_SHRINK, HARD_SIGMOID, HARD_TANH, HARDSWISH,
    LEAKY_RELU, LECUN_TANH, LOG_SIGMOID, MISH, RELU, RELU2, RELU6, SELU, SIGMOID, SILU, SOFTPLUS, SOFTSHRINK, SOFTSIGN,
    STEP, TANH, CURVES
};
static const float SELU_A = 1.67326f, SELU_SCALE = 1.0507f;
FUNCTION real cubic(real x) { return 0.79788456f * (x + 0.044715f * x * x * x); }
FUNCTION real only(whole test) { return choose(test, splat(1.0f), splat(0.0f)); }

// a and b are the numbers that the function may take.
template <int CURVE> FUNCTION real curve(real x, float a, float b) {
    if (CURVE == CELU) return choose(x > 0.0f, x, a * exp_less_1(at_most(x, 0.0f) * (1.0f / a)));
    if (CURVE == ELU) return choose(x > 0.0f, x, a * exp_less_1(at_most(x, 0.0f)));
    if (CURVE == EXPONENTIAL) return exp_lane(x);
    if (CURVE == GELU) return x * normal_below(x);
    if (CURVE == GELU_APPROX) return x * sigmoid_exact(2.0f * cubic(x));
    if (CURVE == GELU_FAST_APPROX) return x * sigmoid_exact(1.702f * x);
    if (CURVE == HARD_SHRINK) return choose(absolute(x) > a, x, splat(0.0f));
    if (CURVE == HARD_SIGMOID) return at_most(zero_or(x + 3.0f), 6.0f) / 6.0f;
    if (CURVE == HARD_TANH) return at_most(at_least(x, a), b);
    if (CURVE == HARDSWISH) return x * at_most(zero_or(x + 3.0f), 6.0f) / 6.0f;
    if (CURVE == LEAKY_RELU) return choose(a * x > x, a * x, x);
    if (CURVE == LECUN_TANH) return 1.7159f * tanh_exact(0.666f * x);
    if (CURVE == LOG_SIGMOID) return -softplus_lane(-x);
    if (CURVE == MISH) return x * tanh_exact(softplus_lane(x));
    if (CURVE == RELU) return zero_or(x);
    if (CURVE == RELU2) return zero_or(x) * zero_or(x);
    if (CURVE == RELU6) return at_most(zero_or(x), 6.0f);
    if (CURVE == SELU) return SELU_SCALE * choose(x > 0.0f, x, SELU_A * exp_less_1(at_most(x, 0.0f)));
    if (CURVE == SIGMOID) return sigmoid_exact(x);
    if (CURVE == SILU) return x * sigmoid_exact(x);
    if (CURVE == SOFTPLUS) return softplus_lane(x);
    if (CURVE == SOFTSHRINK) return choose(x > a, x - a, choose(x < -a, x + a, splat(0.0f)));
    if (CURVE == SOFTSIGN) return x / (1.0f + absolute(x));
    if (CURVE == STEP) return only(x > 0.0f);
    return tanh_exact(x);
}

template <int CURVE> FUNCTION real slope(real x, float a, float b) {
    const real one = splat(1.0f), none = splat(0.0f);
    if (CURVE == CELU) return choose(x > 0.0f, one, exp_lane(x * (1.0f / a)));
    if (CURVE == ELU) return choose(x > 0.0f, one, a * exp_lane(x));
    if (CURVE == EXPONENTIAL) return exp_lane(x);
    if (CURVE == GELU) return normal_below(x) + x * normal_density(x);
    if (CURVE == GELU_APPROX) {
        const real s = sigmoid_exact(2.0f * cubic(x));
        return s + x * s * (1.0f - s) * (1.59576912f + 0.21406324f * x * x);
    }
    if (CURVE == GELU_FAST_APPROX || CURVE == SILU) {
        const float k = CURVE == SILU ? 1.0f : 1.702f;
        const real s = sigmoid_exact(k * x);
        return s + k * x * s * (1.0f - s);
    }
    if (CURVE == HARD_SHRINK || CURVE == SOFTSHRINK) return only(absolute(x) > a);
    if (CURVE == HARD_SIGMOID) return choose(absolute(x) < 3.0f, one / 6.0f, none);
    if (CURVE == HARD_TANH) return choose(x > a, only(x < b), none);
    if (CURVE == HARDSWISH) return choose(x > 3.0f, one, choose(x > -3.0f, x * (1.0f / 3.0f) + 0.5f, none));
    if (CURVE == LEAKY_RELU) return choose(a * x > x, splat(a), one);
    if (CURVE == LECUN_TANH || CURVE == TANH) {
        const real t = tanh_exact(CURVE == TANH ? x : 0.666f * x);
        return (CURVE == TANH ? 1.0f : 1.7159f * 0.666f) * (1.0f - t * t);
    }
    if (CURVE == LOG_SIGMOID) return sigmoid_exact(-x);
    if (CURVE == MISH) {
        const real t = tanh_exact(softplus_lane(x));
        return t + x * (1.0f - t * t) * sigmoid_exact(x);
    }
    if (CURVE == RELU) return only(x > 0.0f);
    if (CURVE == RELU2) return 2.0f * zero_or(x);
    if (CURVE == RELU6) return choose(x > 0.0f, only(x < 6.0f), none);
    if (CURVE == SELU) return SELU_SCALE * choose(x > 0.0f, one, SELU_A * exp_lane(x));
    if (CURVE == SIGMOID) {
        const real s = sigmoid_exact(x);
        return s * (1.0f - s);
    }
    if (CURVE == SOFTPLUS) return sigmoid_exact(x);
    if (CURVE == SOFTSIGN) return 1.0f / ((1.0f + absolute(x)) * (1.0f + absolute(x)));
    return none;
}
