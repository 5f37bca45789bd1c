// cfc_variants_forward: one CfC, and Q neurons of networks that differ from it in little, for one block of the batch.
//
// As in ltc_variants_forward, the Q neurons stand behind the N of the network, and what they read from outside of
// themselves is a `job`, which serves all networks that leave the same out. What is left out is never read. `order` has the
// Q neurons phase by phase; jobs are sorted by neuron, so that those of a phase lie together.
//
//: constants MAPS
//: carried   MAPS=1,3,4
//: sizes    T BACK I N E Q P A J L D S R U K M PHASES
//: numbers  GATED
//: index    phase_start[PHASES+1] phase_end[PHASES+1] phase_neurons[PHASES+1] phase_jobs[2*PHASES] order[Q] sensor[U]
//: index    ptr[N+1] pre[E] drive_ptr[D+1] drive_synapse[S] drive_input[S]
//: index    job_drive[J] job_before[J] job_behind[J] job_ptr[J+1] job_synapse[L]
//: index    job_of[Q] active_ptr[Q+1] active[A] active_pre[A] showing[K*M] begins[Q]
//: values   weight[MAPS*P] sensory_weight[MAPS*R] bias[MAPS*D] w_tau[(MAPS==1)*(N+Q)] A_[(MAPS==1)*(N+Q)]
//: values   input_w[U] input_b[U] start[Q]
//: rows     x[T][I] timespans[T][1] state[1][N]
//: results  outputs[T][K*M]
//: scratch  seen[N+Q] fresh[N+Q] sample[I] input[U] drive[MAPS*D] before[MAPS*E] behind[MAPS*E] job[MAPS*J] shown[K*M]
#define REMEMBER(m, value)
#define A A_
FETCH(seen, state, 0);
EACH(q, Q) seen[N + q] = begins[q] < 0 ? splat(start[q]) : seen[begins[q]];
for (int step = 0; step < T; step++) {
    const int here = BACK ? T - 1 - step : step;
    FETCH(sample, x, here);
    const real span = VALUE(timespans, here);
    EACH(u, U) input[u] = sensor[u] < 0 ? splat(input_b[u]) : sample[sensor[u]] * input_w[u] + input_b[u];
    EACH(d, D) {
        real sum[MAPS];
        for (int m = 0; m < MAPS; m++) sum[m] = splat(bias[MAPS * d + m]);
        for (int k = drive_ptr[d]; k < drive_ptr[d + 1]; k++) {
            for (int m = 0; m < MAPS; m++) sum[m] += sensory_weight[MAPS * drive_synapse[k] + m] * input[drive_input[k]];
        }
        for (int m = 0; m < MAPS; m++) drive[MAPS * d + m] = sum[m];
    }
    for (int phase = 0; phase < PHASES; phase++) {
        EACH_IN(j, phase_start[phase], phase_end[phase]) {
            real sum[MAPS];
            for (int m = 0; m < MAPS; m++) sum[m] = splat(0.0f);
            for (int k = ptr[j + 1] - 1; k >= ptr[j]; k--) {
                for (int m = 0; m < MAPS; m++) behind[MAPS * k + m] = sum[m] += weight[MAPS * k + m] * seen[pre[k]];
            }
            for (int m = 0; m < MAPS; m++) sum[m] = splat(0.0f);
            for (int k = ptr[j]; k < ptr[j + 1]; k++) {
                for (int m = 0; m < MAPS; m++) before[MAPS * k + m] = sum[m] += weight[MAPS * k + m] * seen[pre[k]];
            }
            for (int m = 0; m < MAPS; m++) sum[m] += drive[MAPS * j + m];
            #include "cfc_update.c"
        }
        EACH_IN(q, phase_jobs[2 * phase], phase_jobs[2 * phase + 1]) {
            real sum[MAPS];
            for (int m = 0; m < MAPS; m++) sum[m] = drive[MAPS * job_drive[q] + m];
            if (job_before[q] >= 0) {
                for (int m = 0; m < MAPS; m++) sum[m] += before[MAPS * job_before[q] + m];
            }
            for (int k = job_ptr[q]; k < job_ptr[q + 1]; k++) {
                const int of = job_synapse[k];
                for (int m = 0; m < MAPS; m++) sum[m] += weight[MAPS * of + m] * seen[pre[of]];
            }
            if (job_behind[q] >= 0) {
                for (int m = 0; m < MAPS; m++) sum[m] += behind[MAPS * job_behind[q] + m];
            }
            for (int m = 0; m < MAPS; m++) job[MAPS * q + m] = sum[m];
        }
        EACH_IN(i, phase_neurons[phase], phase_neurons[phase + 1]) {
            const int q = order[i], j = N + q;
            real sum[MAPS];
            for (int m = 0; m < MAPS; m++) sum[m] = job[MAPS * job_of[q] + m];
            for (int k = active_ptr[q]; k < active_ptr[q + 1]; k++) {
                for (int m = 0; m < MAPS; m++) sum[m] += weight[MAPS * active[k] + m] * seen[active_pre[k]];
            }
            #include "cfc_update.c"
        }
        EACH_IN(j, phase_start[phase], phase_end[phase]) seen[j] = fresh[j];
        EACH_IN(i, phase_neurons[phase], phase_neurons[phase + 1]) seen[N + order[i]] = fresh[N + order[i]];
    }
    EACH(i, K * M) shown[i] = seen[showing[i]];
    STORE(outputs, here, shown);
}
#undef A
