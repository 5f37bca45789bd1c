#undef FUNCTION
#define FUNCTION static inline
#undef GLOBAL
#define GLOBAL device
#undef SHARED
#define SHARED threadgroup
#undef BARRIER
#define BARRIER threadgroup_barrier(metal::mem_flags::mem_threadgroup | metal::mem_flags::mem_device);
#undef INVERSE
#define INVERSE(value) (1.0f / (value))
#undef NEIGHBOUR
#define NEIGHBOUR(value, distance) simd_shuffle_xor(value, distance)
#undef THREADS
#define THREADS 32
#undef PARTS
#define PARTS 2
// A lane on a GPU: one row of the batch. A block of THREADS threads computes one row. PARTS neighbouring threads
// have a neuron in common: each goes over a part of its synapses (EACH_SPLIT, EACH_BY), JOINED adds up what they
// found, and the first of them, whose PART is 0, does what is done once (EACH, EACH_IN). So the same thread always
// has the same neuron, and the same synapses of it, and a BARRIER is only needed where one reads what another wrote.
// EACH_ANY is for what every thread may do.
typedef float real;
typedef float over_rows;

#define UNITS (THREADS / PARTS)
#define UNIT (me / PARTS)
#define PART (me % PARTS)
#define FROM_UNIT(i, first, end) int i = (first) + (UNIT + UNITS - (first) % UNITS) % UNITS; i < (end); i += UNITS
#define EACH(i, count) for (int i = PART ? (count) : UNIT; i < (count); i += UNITS)
#define EACH_IN(i, first, end) if (PART == 0) for (FROM_UNIT(i, first, end))
#define EACH_ANY(i, count) for (int i = me; i < (count); i += THREADS)
#define EACH_SPLIT(i, count) for (int i = UNIT; i < (count); i += UNITS)
#define EACH_SYNAPSE(k, ptr) EACH_SPLIT(j_, N) for (int k = ptr[j_] + PART; k < ptr[j_ + 1]; k += PARTS)
#define EACH_BY(count, first, start, end) for (FROM_UNIT(first, start, end))
#define ONCE
#define FETCH(to, from, row) EACH(i, from##_width) (to)[i] = from[(block * from##_rows + (row)) * from##_width + i]
#define STORE(to, row, from) EACH(i, to##_width) to[(block * to##_rows + (row)) * to##_width + i] = (from)[i]
#define CLEAR(to, row) EACH(i, to##_width) to[(block * to##_rows + (row)) * to##_width + i] = 0.0f
#define VALUE(from, row) from[block * from##_rows + (row)]
#define SOON(from, index, k, count)
#define SOON_FOUR(sums, index, k, count)
#define SOME(test) (test)  // a block is one row
#define TOTAL(value) (value)
#define NO_FOUR 0.0f
#define ADD_FOUR(sums, k, a, b, c, d) \
    sums[4 * (k)] += a; \
    sums[4 * (k) + 1] += b; \
    sums[4 * (k) + 2] += c; \
    sums[4 * (k) + 3] += d;
#define TOTAL_SUM(value) (value)
#define TOTALS(found, sum, m) const float found[] = {sum[0][m]};
#define NO_SUM(sums, i) (sums)[i] = 0.0f;
#define ADD_SUM(sums, i, value) (sums)[i] += value;
#define SUM_TOTAL(sums, i) (sums)[i]
#define SAVED(name, row, i) name[(block * name##_rows + (row)) * name##_width + (i)]
#define SAVE(name, row, i, value) if (SAVING) SAVED(name, row, i) = value;

// Threads do the cutting: see lanes_cpu.h.
#define SIDE 1
#define TOGETHER 1

FUNCTION real splat(float value) { return value; }
FUNCTION real choose(bool test, real yes, real no) { return test ? yes : no; }
FUNCTION real exp2_lane(real z) { return exp2(z); }

#define JOINED(value) joined(value, me)
FUNCTION real joined(real value, int me) {
    for (int distance = PARTS / 2; distance > 0; distance /= 2) value += NEIGHBOUR(value, distance);
    return value;
}

// Products of matrices: see products.h. Who has a sum has it alone.
#define ADD_PRODUCTS(to, count, from, width, weights, across, along) \
    EACH_SPLIT(o_, count) { \
        real sum_ = splat(0.0f); \
        for (int i_ = PART; i_ < (width); i_ += PARTS) { \
            sum_ += (weights)[(int64_t)o_ * (across) + (int64_t)i_ * (along)] * (from)[i_]; \
        } \
        sum_ = JOINED(sum_); \
        if (PART == 0) (to)[o_] += sum_; \
    }
#define ADD_OUTER(to, across, left, left_step, count, right, right_step, width, steps) \
    for (int o_ = UNIT; o_ < (count); o_ += UNITS) { \
        for (int i_ = PART; i_ < (width); i_ += PARTS) { \
            real sum_ = splat(0.0f); \
            for (int c_ = 0; c_ < (steps); c_++) sum_ += (left)[c_ * (left_step) + o_] * (right)[c_ * (right_step) + i_]; \
            (to)[(int64_t)o_ * (across) + i_] += sum_; \
        } \
    }

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

// ltc_forward for metal. Generated from the files in compile/kernels/source.
#define COUPLED 0
const int64_t block = threadgroup_position_in_grid.x;
const int me = thread_position_in_threadgroup.x;
const int T = call[0];
const int KEEP = call[1];
const int SAVING = call[2];
const int EVENTS = call[3];
const int BACK = call[4];
const int I = 3;
const int N = 20;
const int M = 2;
const int E = 40;
const int S = 10;
const int K = 0;
const int UNFOLDS = 6;
const float EPSILON = numbers[0];
const GLOBAL int *next_index = index;
const GLOBAL int *const ptr = next_index;
next_index += (int64_t)(N+1);
const GLOBAL int *const pre = next_index;
next_index += (int64_t)(E);
const GLOBAL int *const sensory_ptr = next_index;
next_index += (int64_t)(N+1);
const GLOBAL int *const sensory_pre = next_index;
next_index += (int64_t)(S);
const GLOBAL int *const link_ptr = next_index;
next_index += (int64_t)(COUPLED*(N+1));
const GLOBAL int *const link_pre = next_index;
next_index += (int64_t)(K);
const GLOBAL float *next_value = values;
const GLOBAL float *const w = next_value;
next_value += (int64_t)(E);
const GLOBAL float *const mu = next_value;
next_value += (int64_t)(E);
const GLOBAL float *const sigma = next_value;
next_value += (int64_t)(E);
const GLOBAL float *const erev = next_value;
next_value += (int64_t)(E);
const GLOBAL float *const sensory_w = next_value;
next_value += (int64_t)(S);
const GLOBAL float *const sensory_mu = next_value;
next_value += (int64_t)(S);
const GLOBAL float *const sensory_sigma = next_value;
next_value += (int64_t)(S);
const GLOBAL float *const sensory_erev = next_value;
next_value += (int64_t)(S);
const GLOBAL float *const gleak = next_value;
next_value += (int64_t)(N);
const GLOBAL float *const vleak = next_value;
next_value += (int64_t)(N);
const GLOBAL float *const cm = next_value;
next_value += (int64_t)(N);
const GLOBAL float *const gap = next_value;
next_value += (int64_t)(K);
const GLOBAL float *const input_w = next_value;
next_value += (int64_t)(I);
const GLOBAL float *const input_b = next_value;
next_value += (int64_t)(I);
const GLOBAL float *const output_w = next_value;
next_value += (int64_t)(M);
const GLOBAL float *const output_b = next_value;
next_value += (int64_t)(M);
const int64_t x_rows = T, x_width = I;
const int64_t timespans_rows = T, timespans_width = 1;
const int64_t events_rows = EVENTS*T, events_width = 1;
const int64_t state_rows = 1, state_width = N;
const int64_t outputs_rows = T, outputs_width = M;
const int64_t last_rows = 1, last_width = N;
const int64_t kept_rows = (T+KEEP-1)/KEEP, kept_width = N;
const int64_t states_rows = SAVING*(T*(UNFOLDS+EVENTS)+1), states_width = N;
const int64_t fractions_rows = SAVING*T*UNFOLDS, fractions_width = N;
SHARED float v[((int64_t)(2*N)) + 1];
SHARED float sample[((int64_t)(I)) + 1];
SHARED float input[((int64_t)(I)) + 1];
SHARED float drive[((int64_t)(N)) + 1];
SHARED float load[((int64_t)(N)) + 1];
SHARED float shown[((int64_t)(M)) + 1];
SHARED float showing[((int64_t)(M)) + 1];
SHARED float before[((int64_t)(N)) + 1];
SHARED float still[((int64_t)(N)) + 1];
SHARED float slope[((int64_t)(E)) + 1];
SHARED float shift[((int64_t)(E)) + 1];
SHARED float push[((int64_t)(E)) + 1];
SHARED float sensory_slope[((int64_t)(S)) + 1];
SHARED float sensory_shift[((int64_t)(S)) + 1];
SHARED float sensory_push[((int64_t)(S)) + 1];
SHARED float gap_load[((int64_t)(COUPLED*N)) + 1];
BARRIER
// ltc_forward: a whole LTC sequence for one block of the batch.
//
// With COUPLED = 1 there are electrical synapses: K links, one each way for every pair, with the same conductance.
//
#define REMEMBER_SENSORY(s)
#define REMEMBER(fraction)                                \
    SAVE(states, step * STRIDE + u + 1, j, v[next + j]) \
    SAVE(fractions, step * UNFOLDS + u, j, fraction)
#define STRIDE (UNFOLDS + EVENTS)  // the state before a step is the one behind the step before, but for events
#define SAMPLE sample
#define STATE (v + now)
#define SHOW(j) v[now + j] * output_w[j] + output_b[j]

// ltc_fold: sigmoid(sigma (v - mu)) = 1 / (1 + 2^(shift + slope v)), one multiply-add in front of the exponential.
EACH_SYNAPSE(k, ptr) {
    slope[k] = -LOG2E * sigma[k];
    shift[k] = LOG2E * sigma[k] * mu[k];
    push[k] = w[k] * erev[k];
}
EACH_SYNAPSE(k, sensory_ptr) {
    sensory_slope[k] = -LOG2E * sensory_sigma[k];
    sensory_shift[k] = LOG2E * sensory_sigma[k] * sensory_mu[k];
    sensory_push[k] = sensory_w[k] * sensory_erev[k];
}
#if COUPLED
EACH(j, N) {
    float sum = 0.0f;
    for (int k = link_ptr[j]; k < link_ptr[j + 1]; k++) sum += gap[k];
    gap_load[j] = sum;
}
#endif
int now = 0, next = N, here;
real rate, span;
real event = splat(0.0f);
FETCH(v, state, 0);
if (EVENTS) EACH(j, M) showing[j] = splat(0.0f);
for (int step = 0; step < T; step++) {
    // open: begins a time step forward. Where no row of a block has a sample, nothing is computed.
    if (step % KEEP == 0) STORE(kept, step / KEEP, STATE);
    // enter: where the sample of time step `step` lies, and what happens to the row there: `event` is below zero where
    // there is no sample, and above it where the state starts anew behind this one.
    here = BACK ? T - 1 - step : step;
    if (EVENTS) event = VALUE(events, here);
    if (EVENTS) {
        if (!SOME(event >= 0.0f)) {
            STORE(outputs, here, showing);
            continue;
        }
        EACH(j, N) before[j] = STATE[j];
    }
    // sample: the sample and its time span. What stands where there is none is never read.
    FETCH(SAMPLE, x, here);
    if (EVENTS) EACH(i, I) SAMPLE[i] = choose(event < 0.0f, splat(0.0f), SAMPLE[i]);
    // span: the time span of the sample at `here`.
    span = VALUE(timespans, here);
    if (EVENTS) span = choose(event < 0.0f, splat(1.0f), span);
    BARRIER
    if (step == 0 || EVENTS) EACH(j, N) { SAVE(states, step * STRIDE, j, v[now + j]) }
    // ltc_inputs: what does not change over the unfolds of time step `step`: `rate` is 1 / dt, and `drive` and `load`
    // are each neuron's numerator and denominator without the recurrent synapses.
    rate = (float)UNFOLDS / choose(span < TINY, splat(1.0f), span);
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
        #if COUPLED
        if (PART == 0) den += gap_load[j];
        #endif
        num = JOINED(num);
        den = JOINED(den);
        if (PART == 0) {
            drive[j] = num;
            load[j] = den;
        }
    }
    const int stays = SOME(span < TINY);  // in no time, a state goes nowhere
    if (stays) EACH(j, N) still[j] = v[now + j];
    for (int u = 0; u < UNFOLDS; u++) {
        // ltc_unfold: one solver step, from the states v[now...] to v[next...].
        EACH_SPLIT(j, N) {
            real num = PART ? splat(0.0f) : cm[j] * rate * v[now + j] + drive[j];
            real den = PART ? splat(0.0f) : load[j];
            for (int k = ptr[j] + PART; k < ptr[j + 1]; k += PARTS) {
                SOON(v + now, pre, k, E)
                const real s = sigmoid2(slope[k] * v[now + pre[k]] + shift[k]);
                num += push[k] * s;
                den += w[k] * s;
            }
            #if COUPLED
            for (int k = link_ptr[j] + PART; k < link_ptr[j + 1]; k += PARTS) num += gap[k] * v[now + link_pre[k]];
            #endif
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
    if (stays) {
        EACH(j, N) {
            v[now + j] = choose(span < TINY, still[j], v[now + j]);
            SAVE(states, step * STRIDE + UNFOLDS, j, v[now + j])
        }
    }
    // close: ends a time step forward. Without a sample, a row keeps its state and what it showed last.
    EACH(j, M) shown[j] = SHOW(j);
    if (EVENTS && SOME(event != 0.0f)) {
        EACH(j, M) shown[j] = choose(event < 0.0f, showing[j], shown[j]);
        EACH(j, N) STATE[j] = choose(event < 0.0f, before[j], choose(event > 0.0f, splat(0.0f), STATE[j]));
    }
    if (EVENTS) EACH(j, M) showing[j] = shown[j];
    STORE(outputs, here, shown);
}
STORE(last, 0, v + now);

