// ltc_backward: the gradients of ltc_forward for one block of the batch, from the last time step to the first.
//
// The states between unfolds were saved (SAVING = 1), or those between time steps come from `kept` and the others are
// computed again.
//
//: constants COUPLED
//: carried   COUPLED=0,1
//: sizes    T KEEP SAVING EVENTS BACK I N M E S K UNFOLDS
//: numbers  EPSILON
//: index    ptr[N+1] pre[E] sensory_ptr[N+1] sensory_pre[S] link_ptr[COUPLED*(N+1)] link_pre[K]
//: index    out_ptr[N+1] out[E] out_post[E] spot[E] sensory_out_ptr[I+1] sensory_out[S]
//: values   w[E] mu[E] sigma[E] erev[E] sensory_w[S] sensory_mu[S] sensory_sigma[S] sensory_erev[S]
//: values   gleak[N] vleak[N] cm[N] gap[K] input_w[I] input_b[I] output_w[M] output_b[M]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] kept[(T+KEEP-1)/KEEP][N] d_outputs[T][M] d_last[1][N]
//: saved    states[SAVING*(T*(UNFOLDS+EVENTS)+1)][N] fractions[SAVING*T*UNFOLDS][N]
//: results  d_x[T][I] d_timespans[T][1] d_state[1][N]
//: totals   d_w[E] d_mu[E] d_sigma[E] d_erev[E]
//: totals   d_sensory_w[S] d_sensory_mu[S] d_sensory_sigma[S] d_sensory_erev[S]
//: totals   d_gleak[N] d_vleak[N] d_cm[N] d_gap[K] d_input_w[I] d_input_b[I] d_output_w[M] d_output_b[M]
//: folded   slope[E] shift[E] push[E] sensory_slope[S] sensory_shift[S] sensory_push[S] gap_load[COUPLED*N]
//: folded   out_slope[E] out_shift[E] out_push[E] out_w[E] out_sigma[E]
//: scratch  v[(UNFOLDS+1)*N] sample[I] input[I] drive[N] load[N] shown[M] owed[M] passed[N] still[N]
//: scratch  g[N] d_num[N] d_den[N] sum_num[N] sum_den[N] sum_cm[N] g_rate[N] g_sample[I] g_span[1]
//: work     path[KEEP*N] fractions_of[UNFOLDS*N] sensory_open[S] sensory_back[S]
//: work     neuron[3*N] link[K] in[2*I] shown_sum[2*M]
//: sums     synapse[4*E] sensory_synapse[4*S]
#define REMEMBER_SENSORY(s) sensory_open[k] = s;
#define REMEMBER(fraction) fractions_of[now + j] = fraction;
#define STRIDE (UNFOLDS + EVENTS)
#define SAMPLE sample
#define SAMPLE_BACK g_sample
#define STATE v
#define SHOW_BACK(j)                                    \
    g[j] += shown[j] * output_w[j];                     \
    shown_sum[2 * j] += shown[j] * v[UNFOLDS * N + j]; \
    shown_sum[2 * j + 1] += shown[j];

ONCE {
    #include "ltc_fold.c"
    BARRIER
    EACH_SPLIT(i, N) {
        for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {  // parameters in the order of `out`
            SOON(slope, out, q, E)
            SOON(shift, out, q, E)
            SOON(push, out, q, E)
            SOON(w, out, q, E)
            SOON(sigma, out, q, E)
            out_slope[q] = slope[out[q]];
            out_shift[q] = shift[out[q]];
            out_push[q] = push[out[q]];
            out_w[q] = w[out[q]];
            out_sigma[q] = sigma[out[q]];
        }
    }
}
EACH_ANY(i, 4 * E) synapse[i] = NO_FOUR;
EACH_ANY(i, 4 * S) sensory_synapse[i] = NO_FOUR;
EACH(i, 3 * N) neuron[i] = splat(0.0f);
#if COUPLED
EACH_ANY(i, K) link[i] = splat(0.0f);
#endif
EACH(i, 2 * I) in[i] = splat(0.0f);
EACH(i, 2 * M) shown_sum[i] = splat(0.0f);
FETCH(g, d_last, 0);  // g: the gradient of the states, here of the last ones
if (EVENTS) EACH(j, M) owed[j] = splat(0.0f);
#include "frame/memory_begin_back.c"
BARRIER

int here, entered = T;
real rate, span;
real event = splat(0.0f);
for (int t = T - 1; t >= 0; t--) {
    if (EVENTS) {
        const int step = t;
        #include "frame/enter.c"
        if (!SOME(event >= 0.0f)) {
            #include "frame/skip_back.c"
            continue;
        }
    }
    // Entering a stretch of KEEP time steps from its end: run it from its kept state, to have the others.
    const int start = t - t % KEEP;
    const int entering = start != entered;
    entered = start;
    if (entering && !SAVING) FETCH(path, kept, start / KEEP);
    #include "frame/memory_enter.c"
    if (SAVING) {
        EACH_ANY(i, (UNFOLDS + 1) * N) v[i] = SAVED(states, t * STRIDE, i);
        EACH_ANY(i, UNFOLDS * N) fractions_of[i] = SAVED(fractions, t * UNFOLDS, i);
    }
    for (int step = entering && !SAVING ? start : t; step <= t; step++) {
        #include "frame/enter.c"
        #include "frame/sample.c"
        if (!SAVING) EACH(j, N) v[j] = path[(step - start) * N + j];
        #include "frame/memory_again.c"
        #include "ltc_inputs.c"
        if (SAVING) break;
        BARRIER
        for (int u = 0; u < UNFOLDS; u++) {
            const int now = u * N, next = now + N;
            #include "ltc_unfold.c"
        }
        EACH(j, N) v[UNFOLDS * N + j] = choose(span < TINY, v[j], v[UNFOLDS * N + j]);
        if (step < t) EACH(j, N) path[(step + 1 - start) * N + j] = v[UNFOLDS * N + j];
        #include "frame/path.c"
    }

    #include "frame/open_back.c"
    const int stays = SOME(span < TINY);
    if (stays) {
        EACH(j, N) {
            still[j] = g[j];
            g[j] = choose(span < TINY, splat(0.0f), g[j]);
        }
    }
    EACH(j, N) sum_num[j] = sum_den[j] = sum_cm[j] = splat(0.0f);

    for (int u = UNFOLDS - 1; u >= 0; u--) {
        const int now = u * N, next = now + N;
        // From the state v = num / den to num and den,
        EACH(j, N) {
            d_num[j] = g[j] * fractions_of[now + j];
            d_den[j] = -d_num[j] * v[next + j];
            sum_num[j] += d_num[j];
            sum_den[j] += d_den[j];
            sum_cm[j] += d_num[j] * v[now + j] + d_den[j];
        }
        BARRIER
        // and through every synapse back to the neuron it comes from.
        EACH_SPLIT(i, N) {
            const real from = v[now + i];
            real sum = PART ? splat(0.0f) : d_num[i] * (cm[i] * rate);
            for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {
                SOON(d_num, out_post, q, E)
                SOON(d_den, out_post, q, E)
                const real to_num = d_num[out_post[q]], to_den = d_den[out_post[q]];
                const real s = sigmoid2(out_slope[q] * from + out_shift[q]);
                const real d_arg = (to_num * out_push[q] + to_den * out_w[q]) * (s - s * s);
                ADD_FOUR(synapse, q, to_num * s, to_den * s, d_arg * from, d_arg)
                sum += d_arg * out_sigma[q];
            }
            #if COUPLED
            for (int k = link_ptr[i] + PART; k < link_ptr[i + 1]; k += PARTS) {  // the way back conducts as much
                sum += d_num[link_pre[k]] * gap[k];
                link[k] += d_num[i] * v[now + link_pre[k]] + d_den[i];
            }
            #endif
            sum = JOINED(sum);
            if (PART == 0) g[i] = sum;
        }
        BARRIER
    }

    EACH(j, N) {
        neuron[3 * j] += sum_num[j] * vleak[j] + sum_den[j];
        neuron[3 * j + 1] += sum_num[j];
        neuron[3 * j + 2] += sum_cm[j] * rate;
        g_rate[j] = sum_cm[j] * cm[j];
    }
    EACH_SPLIT(j, N) {
        for (int k = sensory_ptr[j] + PART; k < sensory_ptr[j + 1]; k += PARTS) {
            const real from = input[sensory_pre[k]];
            const real s = sensory_open[k];
            const real d_arg = (sum_num[j] * sensory_push[k] + sum_den[j] * sensory_w[k]) * (s - s * s);
            ADD_FOUR(sensory_synapse, k, sum_num[j] * s, sum_den[j] * s, d_arg * (from - sensory_mu[k]), d_arg)
            sensory_back[k] = d_arg * sensory_sigma[k];
        }
    }
    BARRIER
    EACH_SPLIT(i, I) {
        real sum = splat(0.0f);
        for (int q = sensory_out_ptr[i] + PART; q < sensory_out_ptr[i + 1]; q += PARTS) {
            sum += sensory_back[sensory_out[q]];
        }
        sum = JOINED(sum);
        if (PART == 0) {
            g_sample[i] = sum * input_w[i];
            in[2 * i] += sum * sample[i];
            in[2 * i + 1] += sum;
        }
    }
    EACH_SPLIT(only, 1) {
        real sum = splat(0.0f);
        for (int j = PART; j < N; j += PARTS) sum += g_rate[j];
        sum = JOINED(sum);
        if (PART == 0) g_span[only] = -sum * rate / choose(span < TINY, splat(1.0f), span);  // rate = UNFOLDS / span
    }
    if (stays) EACH(j, N) g[j] = choose(span < TINY, still[j], g[j]);
    #include "frame/close_back.c"
    STORE(d_x, here, g_sample);
    STORE(d_timespans, here, g_span);
    BARRIER
}
STORE(d_state, 0, g);

EACH(j, N) {
    d_gleak[j] = TOTAL(neuron[3 * j]);
    d_vleak[j] = TOTAL(neuron[3 * j + 1] * gleak[j]);
    d_cm[j] = TOTAL(neuron[3 * j + 2]);
}
EACH_SPLIT(j, N) {
    for (int k = ptr[j] + PART; k < ptr[j + 1]; k += PARTS) {
        SOON_FOUR(synapse, spot, k, E)
        const int q = 4 * spot[k];
        d_w[k] = TOTAL_SUM(synapse[q] * erev[k] + synapse[q + 1]);
        d_mu[k] = TOTAL_SUM(synapse[q + 3] * -sigma[k]);
        d_sigma[k] = TOTAL_SUM(synapse[q + 2] - synapse[q + 3] * mu[k]);
        d_erev[k] = TOTAL_SUM(synapse[q] * w[k]);
    }
    for (int k = sensory_ptr[j] + PART; k < sensory_ptr[j + 1]; k += PARTS) {
        d_sensory_w[k] = TOTAL_SUM(sensory_synapse[4 * k] * sensory_erev[k] + sensory_synapse[4 * k + 1]);
        d_sensory_mu[k] = TOTAL_SUM(sensory_synapse[4 * k + 3] * -sensory_sigma[k]);
        d_sensory_sigma[k] = TOTAL_SUM(sensory_synapse[4 * k + 2]);
        d_sensory_erev[k] = TOTAL_SUM(sensory_synapse[4 * k] * sensory_w[k]);
    }
    #if COUPLED
    for (int k = link_ptr[j] + PART; k < link_ptr[j + 1]; k += PARTS) d_gap[k] = TOTAL(link[k]);
    #endif
}
EACH(i, I) {
    d_input_w[i] = TOTAL(in[2 * i]);
    d_input_b[i] = TOTAL(in[2 * i + 1]);
}
EACH(j, M) {
    d_output_w[j] = TOTAL(shown_sum[2 * j]);
    d_output_b[j] = TOTAL(shown_sum[2 * j + 1]);
}
