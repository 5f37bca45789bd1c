// ltc_variants_forward: one LTC, and Q neurons of networks that differ from it in little, for one block of the batch.
//
// The network itself runs as a whole. Of every other one, only the neurons run that anything is different for: they are
// the Q neurons behind its N, and read each other, or it. What a neuron reads from outside of them is what the network
// reads, or a part of that: its sum is a `job`, and serves all networks that leave the same out. It is what stands before
// all that is left out, what stands behind it, and what there is between. Nothing is taken away from a sum, so that
// what is left out is never read: not even a NaN.
//
//: sizes    T BACK I N E Q P A J L D S R U K M UNFOLDS
//: numbers  EPSILON
//: index    ptr[N+1] pre[E] sensor[U] drive_ptr[D+1] drive_synapse[S] drive_input[S]
//: index    job_drive[J] job_before[J] job_behind[J] job_ptr[J+1] job_synapse[L]
//: index    job_of[Q] active_ptr[Q+1] active[A] active_pre[A] showing[K*M] begins[Q]
//: values   w[P] mu[P] sigma[P] erev[P] sensory_w[R] sensory_mu[R] sensory_sigma[R] sensory_erev[R]
//: values   gleak[D] vleak[D] cm[D] own_cm[N+Q] input_w[U] input_b[U] output_w[K*M] output_b[K*M] start[Q]
//: rows     x[T][I] timespans[T][1] state[1][N]
//: results  outputs[T][K*M]
//: folded   slope[P] shift[P] push[P] sensory_slope[R] sensory_shift[R] sensory_push[R]
//: scratch  v[2*(N+Q)] still[N+Q] sample[I] input[U] drive[D] load[D] open[E] before_num[E] before_den[E]
//: scratch  behind_num[E] behind_den[E] job_num[J] job_den[J] shown[K*M]
EACH(k, P) {
    slope[k] = -LOG2E * sigma[k];
    shift[k] = LOG2E * sigma[k] * mu[k];
    push[k] = w[k] * erev[k];
}
EACH(k, R) {
    sensory_slope[k] = -LOG2E * sensory_sigma[k];
    sensory_shift[k] = LOG2E * sensory_sigma[k] * sensory_mu[k];
    sensory_push[k] = sensory_w[k] * sensory_erev[k];
}
int now = 0, next = N + Q;
FETCH(v, state, 0);
EACH(q, Q) v[N + q] = begins[q] < 0 ? splat(start[q]) : v[begins[q]];
for (int step = 0; step < T; step++) {
    const int here = BACK ? T - 1 - step : step;
    FETCH(sample, x, here);
    const real span = VALUE(timespans, here);
    const real rate = (float)UNFOLDS / choose(span < TINY, splat(1.0f), span);
    EACH(u, U) input[u] = sensor[u] < 0 ? splat(input_b[u]) : sample[sensor[u]] * input_w[u] + input_b[u];
    EACH(d, D) {
        real num = splat(gleak[d] * vleak[d]), den = cm[d] * rate + (gleak[d] + EPSILON);
        for (int k = drive_ptr[d]; k < drive_ptr[d + 1]; k++) {
            const int of = drive_synapse[k];
            const real s = sigmoid2(sensory_slope[of] * input[drive_input[k]] + sensory_shift[of]);
            num += sensory_push[of] * s;
            den += sensory_w[of] * s;
        }
        drive[d] = num;
        load[d] = den;
    }
    const int stays = SOME(span < TINY);
    if (stays) EACH(j, N + Q) still[j] = v[now + j];
    for (int u = 0; u < UNFOLDS; u++) {
        EACH(j, N) {
            real num = splat(0.0f), den = num;
            for (int k = ptr[j]; k < ptr[j + 1]; k++) {
                const real s = sigmoid2(slope[k] * v[now + pre[k]] + shift[k]);
                open[k] = s;
                before_num[k] = num += push[k] * s;
                before_den[k] = den += w[k] * s;
            }
            v[next + j] = (own_cm[j] * rate * v[now + j] + drive[j] + num) * INVERSE(load[j] + den);
            num = den = splat(0.0f);
            for (int k = ptr[j + 1] - 1; k >= ptr[j]; k--) {
                behind_num[k] = num += push[k] * open[k];
                behind_den[k] = den += w[k] * open[k];
            }
        }
        EACH(q, J) {
            real num = drive[job_drive[q]], den = load[job_drive[q]];
            if (job_before[q] >= 0) {
                num += before_num[job_before[q]];
                den += before_den[job_before[q]];
            }
            for (int k = job_ptr[q]; k < job_ptr[q + 1]; k++) {
                const int of = job_synapse[k];
                num += push[of] * open[of];
                den += w[of] * open[of];
            }
            if (job_behind[q] >= 0) {
                num += behind_num[job_behind[q]];
                den += behind_den[job_behind[q]];
            }
            job_num[q] = num;
            job_den[q] = den;
        }
        EACH(q, Q) {
            real num = own_cm[N + q] * rate * v[now + N + q] + job_num[job_of[q]], den = job_den[job_of[q]];
            for (int k = active_ptr[q]; k < active_ptr[q + 1]; k++) {
                const int of = active[k];
                const real s = sigmoid2(slope[of] * v[now + active_pre[k]] + shift[of]);
                num += push[of] * s;
                den += w[of] * s;
            }
            v[next + N + q] = num * INVERSE(den);
        }
        const int old = now;
        now = next;
        next = old;
    }
    if (stays) EACH(j, N + Q) v[now + j] = choose(span < TINY, still[j], v[now + j]);
    EACH(i, K * M) shown[i] = v[now + showing[i]] * output_w[i] + output_b[i];
    STORE(outputs, here, shown);
}
