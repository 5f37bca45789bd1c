// cfc_backward: the gradients of cfc_forward for one block of the batch, from the last time step to the first.
//
// What a step needs was saved (SAVING = 1), or is computed again. A neuron goes over the synapses that leave it twice:
// row N + I + i of `out_at` has those onto later phases, which read its new state, row i the others, which read its old
// state. `carried` says for each place which of `states_of` it read. The gradients of the maps' sums are kept for CHUNK
// time steps; then those of all weights are added up at once.
//
//: constants MAPS CHUNK TEAM SECTIONS
//: carried   MAPS=1,3,4 CHUNK=32 TEAM=8 SECTIONS=5
//: gcc      schedule-insns sched-pressure
//: sizes    T KEEP SAVING EVENTS BACK I N M E S F G P Q PHASES
//: numbers  GATED
//: index    phase_start[PHASES+1] phase_end[PHASES+1] at[SECTIONS*N+1] source[P]
//: index    ff_place[F] sensory_ff_place[G] time_place[E] sensory_time_place[S]
//: index    signal[P] synapse[P] carried[P] out_at[SECTIONS*2*(N+I)+1] out_post[Q]
//: index    ff_out[F] sensory_ff_out[G] time_out[E] sensory_time_out[S]
//: values   ff1_w[F] sensory_ff1_w[G] ff1_b[N]
//: values   ff2_w[(MAPS>1)*F] sensory_ff2_w[(MAPS>1)*G] ff2_b[(MAPS>1)*N]
//: values   time_a_w[(MAPS>1)*E] sensory_time_a_w[(MAPS>1)*S] time_a_b[(MAPS>1)*N]
//: values   time_b_w[(MAPS>1)*E] sensory_time_b_w[(MAPS>1)*S] time_b_b[(MAPS>1)*N]
//: values   w_tau[(MAPS==1)*N] A[(MAPS==1)*N]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] kept[(T+KEEP-1)/KEEP][N] d_outputs[T][M] d_last[1][N]
//: saved    states[SAVING*(T*(1+EVENTS)+1)][N] locals[SAVING*T][(MAPS+(MAPS==1))*N]
//: results  d_x[T][I] d_timespans[T][1] d_state[1][N]
//: totals   d_ff1_w[F] d_sensory_ff1_w[G] d_ff1_b[N]
//: totals   d_ff2_w[(MAPS>1)*F] d_sensory_ff2_w[(MAPS>1)*G] d_ff2_b[(MAPS>1)*N]
//: totals   d_time_a_w[(MAPS>1)*E] d_sensory_time_a_w[(MAPS>1)*S] d_time_a_b[(MAPS>1)*N]
//: totals   d_time_b_w[(MAPS==4)*E] d_sensory_time_b_w[(MAPS==4)*S] d_time_b_b[(MAPS==4)*N]
//: totals   d_w_tau[(MAPS==1)*N] d_A[(MAPS==1)*N]
//: folded   weight[MAPS*P] bias[MAPS*N] leaving[MAPS*Q]
//: scratch  seen[N+I] fresh[N] local[(MAPS+(MAPS==1))*N] d[MAPS*N] d_span[N] g[N+I] shown[M] g_span[1]
//: scratch  owed[M] passed[N]
//: work     path[(KEEP+1)*N] own[2*N]
//: work     states_of[(2*N+I)*(CHUNK|1)] ds[MAPS*N*(CHUNK|1)]
#define REMEMBER(m, value) local[LOCALS * j + (m)] = value;
#define LOCAL(m) (SAVING ? SAVED(locals, t, LOCALS * j + (m)) : local[LOCALS * j + (m)])
#define D(j, m) d[MAPS * (j) + (m)]
#define STRIDE (1 + EVENTS)
#define SAMPLE (seen + N)
#define SAMPLE_BACK (g + N)
#define STATE seen
#define SHOW_BACK(j) g[j] += shown[j];
// Adds to a gradient, which the first CHUNK time steps begin. Gradients lie one behind the other, those of the weights
// of inputs behind those of neurons.
#define ADD(array, i, value) array[i] = (T - t > CHUNK ? array[i] : 0.0f) + (value);
#define ADD_WEIGHT(m, k, value) \
    ADD(MAP(m, d_ff1_w, d_ff2_w, d_time_a_w, d_time_b_w), m < 2 ? signal[k] : synapse[k], value)
#define SLOTS (CHUNK | 1)  // odd, so that neurons spread over the cache

ONCE {
    if (!SAVING) {
        #include "cfc_prepare.c"
    }
    #define FOLDED leaving
    #define PLACE(kind) kind##_out
    #include "cfc_fold.c"
    #undef FOLDED
    #undef PLACE
}
EACH(i, 2 * N) own[i] = splat(0.0f);
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
        EACH(j, N) {
            states_of[j * SLOTS + slot] = states_of[(N + j) * SLOTS + slot] = splat(0.0f);
            for (int m = 0; m < MAPS; m++) ds[(MAPS * j + m) * SLOTS + slot] = splat(0.0f);
        }
        EACH(i, I) states_of[(2 * N + i) * SLOTS + slot] = splat(0.0f);
        BARRIER
    } else {
        if (SAVING) {
            const int step = t;
            #include "frame/enter.c"
            #include "frame/sample.c"
            EACH(j, N) {
                states_of[j * SLOTS + slot] = SAVED(states, t * STRIDE, j);
                states_of[(N + j) * SLOTS + slot] = SAVED(states, t * STRIDE + 1, j);
            }
        } else {
            // Entering a stretch of KEEP time steps from its end: run it from its kept state, to have the others.
            const int start = t - t % KEEP;
            const int entering = start != entered;
            entered = start;
            if (entering) FETCH(path, kept, start / KEEP);
            #include "frame/memory_enter.c"
            for (int step = entering ? start : t; step <= t; step++) {
                EACH(j, N) seen[j] = path[(step - start) * N + j];
                #include "frame/enter.c"
                #include "frame/sample.c"
                #include "frame/memory_again.c"
                if (step == t) EACH(j, N) states_of[j * SLOTS + slot] = seen[j];
                #include "cfc_step.c"
                EACH(j, N) path[(step + 1 - start) * N + j] = seen[j];
                #include "frame/path.c"
            }
            EACH(j, N) states_of[(N + j) * SLOTS + slot] = path[(t + 1 - start) * N + j];
        }
        BARRIER
        EACH(i, I) states_of[(2 * N + i) * SLOTS + slot] = seen[N + i];

        #include "frame/open_back.c"
        #define WEIGHT leaving
        #define FROM(k, m) D(out_post[k], (m) == 2 ? MAPS - 1 : (m))  // time_a's sum: that of time_b times the time span
        for (int phase = PHASES - 1; phase >= 0; phase--) {
            EACH_BY(TOGETHER, first, phase_start[phase], phase_end[phase]) {
                #define AT(i, section) out_at[SECTIONS * (N + I + (i)) + (section)]
                #include "cfc_team.c"
                for (int j = first; j < first + TOGETHER && j < phase_end[phase]; j++) {
                    #include "cfc_row.c"
                    if (PART == 0) {
                        real d_new = g[j];
                        for (int m = 0; m < MAPS; m++) d_new += sum[m] * (m == 2 ? span : splat(1.0f));
                        #include "cfc_update_back.c"
                        for (int m = 0; m < MAPS; m++) ds[(MAPS * j + m) * SLOTS + slot] = D(j, m);
                    }
                }
                #undef AT
            }
            BARRIER
        }
        for (int phase = 0; phase <= PHASES; phase++) {
            EACH_BY(TOGETHER, first, phase_start[phase], phase_end[phase]) {
                #define AT(i, section) out_at[SECTIONS * (i) + (section)]
                #include "cfc_team.c"
                for (int j = first; j < first + TOGETHER && j < phase_end[phase]; j++) {
                    #include "cfc_row.c"
                    if (PART == 0) {
                        g[j] = splat(0.0f);
                        for (int m = 0; m < MAPS; m++) g[j] += sum[m] * (m == 2 ? span : splat(1.0f));
                    }
                }
                #undef AT
            }
        }
        #undef WEIGHT
        #undef FROM
        EACH_SPLIT(only, 1) {
            real sum = splat(0.0f);
            for (int j = PART; j < N; j += PARTS) sum += d_span[j];
            sum = JOINED(sum);
            if (PART == 0) g_span[only] = sum;
        }
        BARRIER
        #include "frame/close_back.c"
        STORE(d_x, here, g + N);
        STORE(d_timespans, here, g_span);
    }

    if (slot == 0) {
        const int steps = T - t < CHUNK ? T - t : CHUNK;
        EACH_ANY(j, N) {
            for (int m = 0; m < MAPS; m++) {
                real sum = splat(0.0f);
                for (int c = 0; c < steps; c++) sum += ds[(MAPS * j + m) * SLOTS + c];
                ADD(MAP(m, d_ff1_b, d_ff2_b, d_time_a_b, d_time_b_b), j, TOTAL(sum))
            }
        }
        for (int phase = 0; phase < PHASES; phase++) {
            EACH_BY(SIDE, first, phase_start[phase], phase_end[phase]) {
                const int head = HEAD(first, phase_start[phase]);
                #define AT(i, section) at[SECTIONS * (i) + (section)]
                for (int k = AT(head, 0) + first - head + TEAM * PART; k < AT(head, 1); k += TEAM * PARTS) {
                    const int lowest = 0, beyond = MAPS;
                    #include "cfc_team_weights.c"
                }
                for (int k = AT(head, 1) + first - head + TEAM * PART; k < AT(head, 2); k += TEAM * PARTS) {
                    const int lowest = 2, beyond = MAPS;
                    #include "cfc_team_weights.c"
                }
                for (int j = first; j < first + SIDE && j < phase_end[phase]; j++) {
                    for (int k = AT(j, 2) + SIDE * PART, end = AT(j, 3); k < end; k += SIDE * PARTS) {
                        const int lowest = 0, beyond = MAPS;
                        #include "cfc_weights.c"
                    }
                    for (int k = AT(j, 3) + SIDE * PART, end = AT(j, 4); k < end; k += SIDE * PARTS) {
                        const int lowest = 2, beyond = MAPS;
                        #include "cfc_weights.c"
                    }
                    for (int k = AT(j, 4) + SIDE * PART, end = AT(j, 5); k < end; k += SIDE * PARTS) {
                        const int lowest = 0, beyond = MAPS < 2 ? MAPS : 2;
                        #include "cfc_weights.c"
                    }
                }
                #undef AT
            }
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
