// cfc_backward: the gradients of cfc_forward for one block of the batch, from the last time step to the first.
//
// What a step needs was saved (SAVING = 1), or is computed again. The synapses that leave neuron i are ordered so that
// out[out_ptr[i]...] onto its own and earlier phases come first: they read its old state. Those from out_late[i] on
// lead to later phases, which read its new state. `carried` says for each synapse which of `states_of` it read. The
// gradients of the maps' sums are kept for CHUNK time steps; then those of all weights are added up at once.
//
//: constants MAPS CHUNK
//: gcc      schedule-insns sched-pressure
//: sizes    T KEEP SAVING I N M E S F G PHASES
//: numbers  GATED
//: index    ptr[N+1] pre[E] sensory_ptr[N+1] sensory_pre[S] phase_start[PHASES] phase_end[PHASES]
//: index    signal[E] sensory_signal[S] carried[E]
//: index    out_ptr[N+1] out_late[N] out[E] out_post[E] sensory_out_ptr[I+1] sensory_out[S] sensory_out_post[S]
//: values   ff1_w[F] sensory_ff1_w[G] ff1_b[N]
//: values   ff2_w[(MAPS>1)*F] sensory_ff2_w[(MAPS>1)*G] ff2_b[(MAPS>1)*N]
//: values   time_a_w[(MAPS>1)*E] sensory_time_a_w[(MAPS>1)*S] time_a_b[(MAPS>1)*N]
//: values   time_b_w[(MAPS>1)*E] sensory_time_b_w[(MAPS>1)*S] time_b_b[(MAPS>1)*N]
//: values   w_tau[(MAPS==1)*N] A[(MAPS==1)*N]
//: rows     x[T][I] timespans[T][1] kept[(T+KEEP-1)/KEEP][N] d_outputs[T][M] d_last[1][N]
//: saved    states[SAVING*(T+1)][N] locals[SAVING*T][4*N]
//: results  d_x[T][I] d_timespans[T][1] d_state[1][N]
//: totals   d_ff1_w[F] d_sensory_ff1_w[G] d_ff1_b[N]
//: totals   d_ff2_w[(MAPS>1)*F] d_sensory_ff2_w[(MAPS>1)*G] d_ff2_b[(MAPS>1)*N]
//: totals   d_time_a_w[(MAPS>1)*E] d_sensory_time_a_w[(MAPS>1)*S] d_time_a_b[(MAPS>1)*N]
//: totals   d_time_b_w[(MAPS>1)*E] d_sensory_time_b_w[(MAPS>1)*S] d_time_b_b[(MAPS>1)*N]
//: totals   d_w_tau[(MAPS==1)*N] d_A[(MAPS==1)*N]
//: folded   weight[MAPS*E] sensory_weight[MAPS*S] bias[MAPS*N] leaving[MAPS*E] sensory_leaving[MAPS*S]
//: scratch  seen[N] fresh[N] sample[I] span[1] local[4*N] d[MAPS*N] d_span[N] g[N] shown[M] g_sample[I] g_span[1]
//: work     path[(KEEP+1)*N] own[2*N]
//: work     states_of[2*N*(CHUNK|1)] samples[I*(CHUNK|1)] ds[MAPS*N*(CHUNK|1)]
#define REMEMBER(m, value) local[4 * j + (m)] = value;
#define LOCAL(m) (SAVING ? SAVED(locals, t, 4 * j + (m)) : local[4 * j + (m)])
#define D(j, m) d[MAPS * (j) + (m)]
#define SLOTS (CHUNK | 1)  // odd, so that neurons spread over the cache

#include "cfc_fold.c"
BARRIER
EACH(i, N) {
    for (int q = out_ptr[i]; q < out_ptr[i + 1]; q++) {  // the weights in the order of `out`
        for (int m = 0; m < MAPS; m++) leaving[MAPS * q + m] = weight[MAPS * out[q] + m];
    }
}
EACH(i, I) {
    for (int q = sensory_out_ptr[i]; q < sensory_out_ptr[i + 1]; q++) {
        for (int m = 0; m < MAPS; m++) sensory_leaving[MAPS * q + m] = sensory_weight[MAPS * sensory_out[q] + m];
    }
}
EACH(j, N) {
    for (int m = 0; m < MAPS; m++) MAP(m, d_ff1_b, d_ff2_b, d_time_a_b, d_time_b_b)[j] = 0.0f;
}
for (int m = 0; m < MAPS; m++) {
    EACH(k, m < 2 ? F : E) MAP(m, d_ff1_w, d_ff2_w, d_time_a_w, d_time_b_w)[k] = 0.0f;
    EACH(k, m < 2 ? G : S) {
        MAP(m, d_sensory_ff1_w, d_sensory_ff2_w, d_sensory_time_a_w, d_sensory_time_b_w)[k] = 0.0f;
    }
}
EACH(i, 2 * N) own[i] = splat(0.0f);
FETCH(g, d_last, 0);  // g: the gradient of the states, here of the last ones
BARRIER

for (int t = T - 1; t >= 0; t--) {
    const int slot = t % CHUNK;
    if (SAVING) {
        FETCH(sample, x, t);
        FETCH(span, timespans, t);
        EACH(j, N) {
            states_of[j * SLOTS + slot] = SAVED(states, t, j);
            states_of[(N + j) * SLOTS + slot] = SAVED(states, t + 1, j);
        }
    } else {
        // Entering a stretch of KEEP time steps from its end: run it from its kept state, to have the others.
        const int start = t - t % KEEP;
        const int entering = t == T - 1 || t == start + KEEP - 1;
        if (entering) FETCH(path, kept, start / KEEP);
        for (int step = entering ? start : t; step <= t; step++) {
            EACH(j, N) seen[j] = path[(step - start) * N + j];
            #include "cfc_step.c"
            EACH(j, N) path[(step + 1 - start) * N + j] = seen[j];
        }
        EACH(j, N) {
            states_of[j * SLOTS + slot] = path[(t - start) * N + j];
            states_of[(N + j) * SLOTS + slot] = path[(t + 1 - start) * N + j];
        }
    }
    BARRIER
    EACH(i, I) samples[i * SLOTS + slot] = sample[i];

    FETCH(shown, d_outputs, t);
    EACH(j, M) g[j] += shown[j];
    #define TO out_post
    #define LEAVING leaving
    for (int phase = PHASES - 1; phase >= 0; phase--) {
        EACH_IN(j, phase_start[phase], phase_end[phase]) {
            real back = g[j];
            const int begin = out_late[j], end = out_ptr[j + 1];
            #include "cfc_leaving.c"
            const real d_new = back;
            #include "cfc_update_back.c"
            for (int m = 0; m < MAPS; m++) ds[(MAPS * j + m) * SLOTS + slot] = D(j, m);
        }
        BARRIER
    }
    EACH(i, N) {
        real back = splat(0.0f);
        const int begin = out_ptr[i], end = out_late[i];
        #include "cfc_leaving.c"
        g[i] = back;
    }
    #undef TO
    #undef LEAVING
    #define TO sensory_out_post
    #define LEAVING sensory_leaving
    EACH(i, I) {
        real back = splat(0.0f);
        const int begin = sensory_out_ptr[i], end = sensory_out_ptr[i + 1];
        #include "cfc_leaving.c"
        g_sample[i] = back;
    }
    #undef TO
    #undef LEAVING
    EACH(only, 1) {
        real sum = splat(0.0f);
        for (int j = 0; j < N; j++) sum += d_span[j];
        g_span[only] = sum;
    }
    STORE(d_x, t, g_sample);
    STORE(d_timespans, t, g_span);

    if (slot == 0) {
        const int steps = T - t < CHUNK ? T - t : CHUNK;
        EACH(j, N) {
            for (int m = 0; m < MAPS; m++) {
                real sum = splat(0.0f);
                for (int c = 0; c < steps; c++) sum += ds[(MAPS * j + m) * SLOTS + c];
                MAP(m, d_ff1_b, d_ff2_b, d_time_a_b, d_time_b_b)[j] += TOTAL(sum);
            }
            #define PLACE(k) (m < 2 ? signal[k] : (k))
            #define CARRIED(k) (states_of + carried[k] * SLOTS)
            #define WEIGHTS MAP(m, d_ff1_w, d_ff2_w, d_time_a_w, d_time_b_w)
            for (int k = ptr[j], end = ptr[j + 1]; k < end; k += 2) {
                #include "cfc_weights.c"
            }
            #undef PLACE
            #undef CARRIED
            #undef WEIGHTS
            #define PLACE(k) (m < 2 ? sensory_signal[k] : (k))
            #define CARRIED(k) (samples + sensory_pre[k] * SLOTS)
            #define WEIGHTS MAP(m, d_sensory_ff1_w, d_sensory_ff2_w, d_sensory_time_a_w, d_sensory_time_b_w)
            for (int k = sensory_ptr[j], end = sensory_ptr[j + 1]; k < end; k += 2) {
                #include "cfc_weights.c"
            }
            #undef PLACE
            #undef CARRIED
            #undef WEIGHTS
        }
    }
    BARRIER
}
STORE(d_state, 0, g);
if (MAPS == 3) {
    EACH(j, N) d_time_b_b[j] = d_time_a_b[j];
    EACH(k, E) d_time_b_w[k] = d_time_a_w[k];
    EACH(k, S) d_sensory_time_b_w[k] = d_sensory_time_a_w[k];
}
if (MAPS == 1) {
    EACH(j, N) {
        d_w_tau[j] = TOTAL(own[2 * j]);
        d_A[j] = TOTAL(own[2 * j + 1]);
    }
}
