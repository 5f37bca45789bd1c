// dense_backward: the gradients of dense_forward for one block of the batch, from the last time step to the first.
//
// What a step needs was saved (SAVING = 1), or is computed again. `d_act` holds the gradients of `act`. Both are kept
// for CHUNK time steps; then the gradients of all weights are added up at once.
//
//: constants MAPS CHUNK
//: carried   MAPS=1,4 CHUNK=32
//: gcc      schedule-insns sched-pressure
//: sizes    T KEEP SAVING EVENTS BACK I N M H LAYERS WEIGHTS ACTIVATION
//: numbers  GATED
//: values   weights[WEIGHTS] biases[LAYERS*H+MAPS*N] w_tau[(MAPS==1)*N] A[(MAPS==1)*N]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] kept[(T+KEEP-1)/KEEP][N] d_outputs[T][M] d_last[1][N]
//: saved    acts_of[SAVING*T][I+N+LAYERS*H+MAPS*N] bends[SAVING*T][LAYERS*H]
//: results  d_x[T][I] d_timespans[T][1] d_state[1][N]
//: totals   d_weights[WEIGHTS] d_biases[LAYERS*H+MAPS*N] d_w_tau[(MAPS==1)*N] d_A[(MAPS==1)*N]
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
#define D(j, m) d_act[I + N + LAYERS * H + (m) * N + (j)]

EACH(i, 2 * N) own[i] = splat(0.0f);
EACH_ANY(i, LAYERS * H + MAPS * N) d_biases[i] = 0.0f;
EACH_ANY(i, WEIGHTS) d_weights[i] = 0.0f;
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
                EACH_ANY(i, I + N + LAYERS * H + MAPS * N) act[i] = SAVED(acts_of, t, i);
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
                for (int m = 0; m < MAPS; m++) sum[m] = act[I + N + LAYERS * H + m * N + j];
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
        for (int layer = LAYERS; layer >= 0; layer--) {
            #include "dense_place.c"
            EACH(i, width) d_act[from + i] = splat(0.0f);
            ADD_PRODUCTS(d_act + from, width, d_act + to, count, weights + at, 1, width)
            if (layer) EACH(i, width) d_act[from + i] *= bend[from + i];
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
        for (int layer = 0; layer <= LAYERS; layer++) {
            #include "dense_place.c"
            EACH(o, count) {
                real sum = splat(0.0f);
                for (int c = 0; c < steps; c++) sum += d_acts[c * ACTS + to + o];
                d_biases[bias_at + o] += TOTAL(sum);
            }
            ADD_OUTER(d_weights + at, width, d_acts + to, ACTS, count, acts + from, ACTS, width, steps)
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
