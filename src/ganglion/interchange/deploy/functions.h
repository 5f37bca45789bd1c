static inline float NAME_abs(float x) { return x < 0.0f ? -x : x; }

// NaN goes through, as it does in the network.
static inline float NAME_max(float a, float b) { return a > b || a != a ? a : b; }

static inline float NAME_min(float a, float b) { return a < b || a != a ? a : b; }

// 2^z: the nearest whole number goes into the exponent, the rest through a polynomial good to 2 parts in 10^7.
static inline float NAME_exp2(float z) {
    if (z != z) return z;
    z = z < -126.0f ? -126.0f : z > 126.0f ? 126.0f : z;
    const int n = (int)(z < 0.0f ? z - 0.5f : z + 0.5f);
    const float f = z - (float)n;
    const int32_t bits = (int32_t)(n + 127) << 23;
    float power, p = f * 1.3254603e-3f + 9.6719991e-3f;
    memcpy(&power, &bits, sizeof power);
    p = p * f + 5.5507794e-2f;
    p = p * f + 2.4022232e-1f;
    p = p * f + 6.9314694e-1f;
    p = p * f + 1.0f;
    return p * power;
}

static inline float NAME_exp(float x) { return NAME_exp2(x * 1.44269504f); }

static inline float NAME_sigmoid(float x) { return 1.0f / (1.0f + NAME_exp2(x * -1.44269504f)); }

static inline float NAME_tanh(float x) { return 1.0f - 2.0f / (1.0f + NAME_exp2(x * 2.88539008f)); }

// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26; error 1.5e-7.
static inline float NAME_erf(float x) {
    const float z = x < 0.0f ? -x : x, t = 1.0f / (1.0f + 0.3275911f * z);
    float p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const float found = 1.0f - p * t * NAME_exp2(z * z * -1.44269504f);
    return x < 0.0f ? -found : found;
}
