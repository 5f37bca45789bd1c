// Functions of a lane that every target shares; exp2_lane is each target's own, and sigmoid2 that of some.
#define LOG2E 1.44269504f
#define TINY 1e-30f  // time spans below it count as 0: one divided by them is no number, or as good as none

#ifndef SIGMOID2
FUNCTION real sigmoid2(real z) { return INVERSE(1.0f + exp2_lane(z)); }  // sigmoid(-z / log2(e))
#endif
FUNCTION real sigmoid(real x) { return sigmoid2(x * -LOG2E); }
FUNCTION real tanh_lane(real x) { return 1.0f - 2.0f * sigmoid2(x * (2.0f * LOG2E)); }
FUNCTION real absolute(real x) { return choose(x < 0.0f, -x, x); }

// For each neuron j, the sum of weights[SPOT(k, set)] * from[pre[k]] over its synapses k.
#ifndef WEIGHED
#define WEIGHED(to, weights, from, ptr, pre, set) \
    EACH_SPLIT(j_, P) { \
        real sum_ = splat(0.0f); \
        for (int k_ = ptr[j_] + PART; k_ < ptr[j_ + 1]; k_ += PARTS) { \
            SOON(from, pre, k_, ptr[P]) \
            sum_ += (weights)[k_] * (from)[pre[k_]]; \
        } \
        sum_ = JOINED(sum_); \
        if (PART == 0) (to)[j_] = sum_; \
    }
#define SPOT(k, set) (k)
#endif

#define WAITING 32  // time steps after which the gradients of an LSTM's weights are added up: see memory_backward.c

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

FUNCTION real activation_slope(int kind, real z, real shown) {  // from z and what became of it
    if (kind == LECUN_TANH) return 0.666f * 1.7159f - 0.666f / 1.7159f * shown * shown;
    if (kind == TANH) return 1.0f - shown * shown;
    if (kind == RELU) return choose(z > 0.0f, splat(1.0f), splat(0.0f));
    if (kind == SIGMOID) return shown * (1.0f - shown);
    if (kind == SILU) {
        const real s = sigmoid(z);
        return s + shown * (1.0f - s);
    }
    return normal_cdf(z) + z * 0.398942280f * exp2_lane(z * z * (-0.5f * LOG2E));
}
