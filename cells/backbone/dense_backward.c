// dense_backward: the gradients of dense_forward for one block of the batch, from the last time step to the first.
//
// What a step needs was saved (SAVING = 1), or is computed again. `d_act` holds the gradients of `act`. Both are kept
// for CHUNK time steps; then the gradients of all weights are added up at once.
//
//: constants MAPS CHUNK
//: carried   MAPS=1,3,4 CHUNK=32
//: gcc      schedule-insns sched-pressure
//: sizes    T KEEP SAVING EVENTS BACK I N M H W LAYERS WEIGHTS ACTIVATION
//: numbers  GATED
//: values   backbone_w[WEIGHTS] backbone_b[LAYERS*H]
//: values   ff1_w[N*W] ff1_b[N] ff2_w[(MAPS>1)*N*W] ff2_b[(MAPS>1)*N]
//: values   time_a_w[(MAPS>1)*N*W] time_a_b[(MAPS>1)*N] time_b_w[(MAPS>1)*N*W] time_b_b[(MAPS>1)*N]
//: values   w_tau[(MAPS==1)*N] A[(MAPS==1)*N]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] kept[(T+KEEP-1)/KEEP][N] d_outputs[T][M] d_last[1][N]
//: saved    acts_of[SAVING*T][I+N+LAYERS*H+MAPS*N] bends[SAVING*T][LAYERS*H]
//: results  d_x[T][I] d_timespans[T][1] d_state[1][N]
//: totals   d_backbone_w[WEIGHTS] d_backbone_b[LAYERS*H]
//: totals   d_ff1_w[N*W] d_ff1_b[N] d_ff2_w[(MAPS>1)*N*W] d_ff2_b[(MAPS>1)*N]
//: totals   d_time_a_w[(MAPS>1)*N*W] d_time_a_b[(MAPS>1)*N] d_time_b_w[(MAPS==4)*N*W] d_time_b_b[(MAPS==4)*N]
//: totals   d_w_tau[(MAPS==1)*N] d_A[(MAPS==1)*N]
//: folded   gate_w[(MAPS==3)*N*W] gate_b[(MAPS==3)*N]
//: scratch  local[4*N] d_span[N] g[N] shown[M] owed[M] passed[N] g_span[1]
//: work     path[(KEEP+1)*N] bend[I+N+LAYERS*H] own[2*N]
//: work     acts[CHUNK*((I+N+LAYERS*H+MAPS*N)|1)] d_acts[CHUNK*((I+N+LAYERS*H+MAPS*N)|1)]
#define REMEMBER(m, value) local[4 * j + (m)] = value;
#define LOCAL(m) local[4 * j + (m)]
#define BEND(i, slope) bend[i] = slope;
#define SAMPLE act
#define SAMPLE_BACK d_act
#define STATE (act + I)
#define SHOW_BACK(j) g[j] += shown[j];
#define ACTS ((I + N + LAYERS * H + MAPS * N) | 1)  // odd, so that time steps spread over the cache
#define act (acts + slot * ACTS)
#define d_act (d_acts + slot * ACTS)
#define fresh (path + (step + 1 - start) * N)
#define D(j, m) d_act[SUMS + (m) * N + (j)]

EACH(i, 2 * N) own[i] = splat(0.0f);
#include "dense_maps.c"
EACH_ANY(i, LAYERS * H) d_backbone_b[i] = 0.0f;
EACH_ANY(i, WEIGHTS) d_backbone_w[i] = 0.0f;
#define MAP_BEGIN(m, weights, biases, d_weights, d_biases) \
    EACH_ANY(i, N * W) d_weights[i] = 0.0f; \
    EACH_ANY(j, N) d_biases[j] = 0.0f;
EVERY_MAP(MAP_BEGIN)
FETCH(g, d_last, 0);  // g: the gradient of the states, here of the last ones
if (EVENTS) EACH(j, M) owed[j] = splat(0.0f);
#include "frame/memory_begin_back.c"
BARRIER

int here, entered = T;
real span;
real event = splat(0.0f);
for (int t = T - 1; t >= 0; t--) {
    const int slot = t % CHUNK;
    if (EVENTS) {
        const int step = t;
        #include "frame/enter.c"
    }
    if (EVENTS && !SOME(event >= 0.0f)) {
        #include "frame/skip_back.c"
        EACH_ANY(i, ACTS) act[i] = d_act[i] = splat(0.0f);
        BARRIER
    } else {
        // Entering a stretch of KEEP time steps from its end: run it from its kept state, to have the others.
        const int start = SAVING ? t : t - t % KEEP;
        const int entering = !SAVING && start != entered;
        entered = start;
        if (entering) FETCH(path, kept, start / KEEP);
        #include "frame/memory_enter.c"
        for (int step = entering ? start : t; step <= t; step++) {
            #include "frame/enter.c"
            if (SAVING) {
                #include "frame/span.c"
                EACH_ANY(i, SUMS + MAPS * N) act[i] = SAVED(acts_of, t, i);
                EACH_ANY(i, LAYERS * H) bend[I + N + i] = SAVED(bends, t, i);
                BARRIER
            } else {
                EACH(j, N) act[I + j] = path[(step - start) * N + j];
                #include "frame/sample.c"
                #include "frame/memory_again.c"
                #include "dense_step.c"
            }
            EACH(j, N) {
                real sum[MAPS];
                for (int m = 0; m < MAPS; m++) sum[m] = act[SUMS + m * N + j];
                #include "../cfc/cfc_update.c"
            }
            #include "frame/path.c"
            BARRIER
        }

        #include "frame/open_back.c"
        EACH(j, N) {
            const real d_new = g[j];
            #include "../cfc/cfc_update_back.c"
        }
        BARRIER
        EACH(i, W) d_act[READ + i] = splat(0.0f);
        #define MAP_BACK(m, weights, biases, d_weights, d_biases) \
            ADD_PRODUCTS(d_act + READ, W, d_act + SUMS + (m) * N, N, weights, 1, W)
        EVERY_MAP(MAP_BACK)
        BARRIER
        for (int layer = LAYERS - 1; layer >= 0; layer--) {
            #include "dense_place.c"
            EACH(o, H) d_act[to + o] *= bend[to + o];
            EACH(i, width) d_act[from + i] = splat(0.0f);
            BARRIER
            ADD_PRODUCTS(d_act + from, width, d_act + to, H, backbone_w + at, 1, width)
            BARRIER
        }
        EACH(j, N) g[j] = d_act[I + j];
        EACH_SPLIT(only, 1) {
            real sum = splat(0.0f);
            for (int j = PART; j < N; j += PARTS) sum += d_span[j];
            sum = JOINED(sum);
            if (PART == 0) g_span[only] = sum;
        }
        #include "frame/close_back.c"
        STORE(d_x, here, d_act);
        STORE(d_timespans, here, g_span);
    }

    if (slot == 0) {
        const int steps = T - t < CHUNK ? T - t : CHUNK;
        #define ADD_GRADIENTS(d_weights, d_biases, to, count, from, width) \
            EACH(o, count) { \
                real sum = splat(0.0f); \
                for (int c = 0; c < steps; c++) sum += d_acts[c * ACTS + (to) + o]; \
                (d_biases)[o] += TOTAL(sum); \
            } \
            ADD_OUTER(d_weights, width, d_acts + (to), ACTS, count, acts + (from), ACTS, width, steps)
        #define MAP_GRADIENTS(m, weights, biases, d_weights, d_biases) \
            ADD_GRADIENTS(d_weights, d_biases, SUMS + (m) * N, N, READ, W)
        EVERY_MAP(MAP_GRADIENTS)
        for (int layer = 0; layer < LAYERS; layer++) {
            #include "dense_place.c"
            ADD_GRADIENTS(d_backbone_w + at, d_backbone_b + layer * H, to, H, from, width)
        }
    }
    BARRIER
}
STORE(d_state, 0, g);
if (MAPS == 1) {
    EACH(j, N) {
        d_w_tau[j] = TOTAL(own[2 * j]);
        d_A[j] = TOTAL(own[2 * j + 1]);
    }
}
#undef act
#undef d_act
#undef fresh
