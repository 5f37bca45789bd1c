// cfc_backward: the gradients of cfc_forward for one block of the batch, from the last time step to the first.
//
// The synapses that leave neuron i are ordered so that out[out_ptr[i]...] onto its own and earlier phases come
// first: they read its old state. Those from out_late[i] on lead to later phases, which read its new state.
//
//: constants MAPS
//: sizes    T KEEP I N M E S PHASES
//: numbers  GATED
//: index    ptr[N+1] pre[E] sensory_ptr[N+1] sensory_pre[S] phase_start[PHASES] phase_end[PHASES]
//: index    out_ptr[N+1] out_late[N] out[E] out_post[E] sensory_out_ptr[I+1] sensory_out[S] sensory_out_post[S]
//: values   ff1_w[E] sensory_ff1_w[S] ff1_b[N]
//: values   ff2_w[(MAPS==4)*E] sensory_ff2_w[(MAPS==4)*S] ff2_b[(MAPS==4)*N]
//: values   time_a_w[(MAPS==4)*E] sensory_time_a_w[(MAPS==4)*S] time_a_b[(MAPS==4)*N]
//: values   time_b_w[(MAPS==4)*E] sensory_time_b_w[(MAPS==4)*S] time_b_b[(MAPS==4)*N]
//: values   w_tau[(MAPS==1)*N] A[(MAPS==1)*N]
//: rows     x[T][I] timespans[T][1] kept[(T+KEEP-1)/KEEP][N] d_outputs[T][M] d_last[1][N]
//: results  d_x[T][I] d_timespans[T][1] d_state[1][N]
//: totals   d_ff1_w[E] d_sensory_ff1_w[S] d_ff1_b[N]
//: totals   d_ff2_w[(MAPS==4)*E] d_sensory_ff2_w[(MAPS==4)*S] d_ff2_b[(MAPS==4)*N]
//: totals   d_time_a_w[(MAPS==4)*E] d_sensory_time_a_w[(MAPS==4)*S] d_time_a_b[(MAPS==4)*N]
//: totals   d_time_b_w[(MAPS==4)*E] d_sensory_time_b_w[(MAPS==4)*S] d_time_b_b[(MAPS==4)*N]
//: totals   d_w_tau[(MAPS==1)*N] d_A[(MAPS==1)*N]
//: folded   weight[MAPS*E] sensory_weight[MAPS*S] bias[MAPS*N]
//: scratch  seen[N] fresh[N] sample[I] span[1] local[4*N] d[MAPS*N] d_span[N] g[N] shown[M] g_sample[I] g_span[1]
//: work     path[KEEP*N] synapse[MAPS*E] sensory_synapse[MAPS*S] neuron[MAPS*N] own[2*N]
#define REMEMBER(assignments) assignments;
#define D(j, m) d[MAPS * (j) + (m)]

#include "cfc_fold.c"
EACH(i, MAPS * E) synapse[i] = splat(0.0f);
EACH(i, MAPS * S) sensory_synapse[i] = splat(0.0f);
EACH(i, MAPS * N) neuron[i] = splat(0.0f);
EACH(i, 2 * N) own[i] = splat(0.0f);
FETCH(g, d_last, 0);  // g: the gradient of the states, here of the last ones
BARRIER

for (int t = T - 1; t >= 0; t--) {
    // Entering a stretch of KEEP time steps from its end: run it from its kept state, to have the others.
    const int start = t - t % KEEP;
    const int entering = t == T - 1 || t == start + KEEP - 1;
    if (entering) FETCH(path, kept, start / KEEP);
    for (int step = entering ? start : t; step <= t; step++) {
        EACH(j, N) seen[j] = path[(step - start) * N + j];
        #include "cfc_step.c"
        if (step < t) EACH(j, N) path[(step + 1 - start) * N + j] = seen[j];
    }

    FETCH(shown, d_outputs, t);
    EACH(j, M) g[j] += shown[j];
    for (int phase = PHASES - 1; phase >= 0; phase--) {
        EACH_IN(j, phase_start[phase], phase_end[phase]) {
            real d_new = g[j];
            for (int q = out_late[j]; q < out_ptr[j + 1]; q++) {
                for (int m = 0; m < MAPS; m++) {
                    d_new += d[MAPS * out_post[q] + m] * weight[MAPS * out[q] + m];
                }
            }
            #include "cfc_update_back.c"
            seen[j] = path[(t - start) * N + j];  // so that `seen` is again what this phase saw
        }
        BARRIER
        EACH_IN(j, phase_start[phase], phase_end[phase]) {
            real here[MAPS];
            for (int m = 0; m < MAPS; m++) here[m] = d[MAPS * j + m];
            for (int m = 0; m < MAPS; m++) neuron[MAPS * j + m] += here[m];
            for (int k = sensory_ptr[j]; k < sensory_ptr[j + 1]; k++) {
                const real from = sample[sensory_pre[k]];
                for (int m = 0; m < MAPS; m++) sensory_synapse[MAPS * k + m] += here[m] * from;
            }
            for (int k = ptr[j]; k < ptr[j + 1]; k++) {
                const real from = seen[pre[k]];
                for (int m = 0; m < MAPS; m++) synapse[MAPS * k + m] += here[m] * from;
            }
        }
        BARRIER
    }

    EACH(i, N) {
        real sum = splat(0.0f);
        for (int q = out_ptr[i]; q < out_late[i]; q++) {
            for (int m = 0; m < MAPS; m++) sum += d[MAPS * out_post[q] + m] * weight[MAPS * out[q] + m];
        }
        g[i] = sum;
    }
    EACH(i, I) {
        real sum = splat(0.0f);
        for (int q = sensory_out_ptr[i]; q < sensory_out_ptr[i + 1]; q++) {
            for (int m = 0; m < MAPS; m++) {
                sum += d[MAPS * sensory_out_post[q] + m] * sensory_weight[MAPS * sensory_out[q] + m];
            }
        }
        g_sample[i] = sum;
    }
    EACH(only, 1) {
        real sum = splat(0.0f);
        for (int j = 0; j < N; j++) sum += d_span[j];
        g_span[only] = sum;
    }
    STORE(d_x, t, g_sample);
    STORE(d_timespans, t, g_span);
    BARRIER
}
STORE(d_state, 0, g);

EACH(j, N) {
    for (int m = 0; m < MAPS; m++) {
        MAP(m, d_ff1_b, d_ff2_b, d_time_a_b, d_time_b_b)[j] = TOTAL(neuron[MAPS * j + m]);
        for (int k = ptr[j]; k < ptr[j + 1]; k++) {
            MAP(m, d_ff1_w, d_ff2_w, d_time_a_w, d_time_b_w)[k] = TOTAL(synapse[MAPS * k + m]);
        }
        for (int k = sensory_ptr[j]; k < sensory_ptr[j + 1]; k++) {
            MAP(m, d_sensory_ff1_w, d_sensory_ff2_w, d_sensory_time_a_w, d_sensory_time_b_w)[k] =
                TOTAL(sensory_synapse[MAPS * k + m]);
        }
    }
    if (MAPS == 1) {
        d_w_tau[j] = TOTAL(own[2 * j]);
        d_A[j] = TOTAL(own[2 * j + 1]);
    }
}
