// equations_ctrnncell_backward: the gradients of equations_ctrnncell_forward. Generated from equations.
//: sizes    T KEEP SAVING EVENTS BACK I N P M E S K UNFOLDS
//: index    ptr[P+1] pre[E] sensory_ptr[P+1] sensory_pre[S] link_ptr[P+1] link_pre[K]
//: index    in_order[P] in_many[P] in_read[E] in_spot[E]
//: blocks   2
//: values   q_rate_w[E] q_sensory_rate_w[S] q_rate_b[P] q_of0_pre[P] held[P]
//: index    out_ptr[P+1] out[E] out_post[E] sensory_out_ptr[I+1] sensory_out[S] sensory_out_post[S]
//: index    back_order[P] back_many[P] back_read[E] back_spot[E]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] kept[(T+KEEP-1)/KEEP][N]
//: rows     d_outputs[T][M] d_last[1][N]
//: saved    states[SAVING*T][N]
//: saved    sums[SAVING*T*UNFOLDS][1*P]
//: results  d_x[T][I] d_timespans[T][1] d_state[1][N]
//: totals   d_q_rate_w[E] d_q_sensory_rate_w[S] d_q_rate_b[P] d_q_of0_pre[P] d_held[P]
//: folded   fr0[E] fs0[S] ofr0[E] ofs0[S]
//: scratch  v[(UNFOLDS+1)*N] sample[I] input[1*I] drive[1*P] fixed[1*P] summed[1*P] shown[M] owed[M] passed[N] still[N]
//: scratch  g[N] local[N] d_sum[1*P] d_drive[1*P] back[P] g_time[P] g_sample[I] g_span[1]
//: work     path[KEEP*N] sum_r[1*E] sum_s[1*S] sum_n[2*P] sums_of[UNFOLDS*1*P] d_sums[UNFOLDS*1*P]
#ifdef LANES
#define EACH_LANE(function, given) ({ real lanes_ = (given); \
    for (int lane_ = 0; lane_ < LANES; lane_++) lanes_[lane_] = function(lanes_[lane_]); lanes_; })
#define log_each(given) EACH_LANE(__builtin_logf, given)
#define sqrt_each(given) EACH_LANE(__builtin_sqrtf, given)
#define sin_each(given) EACH_LANE(__builtin_sinf, given)
#define cos_each(given) EACH_LANE(__builtin_cosf, given)
#else
#define log_each(given) log(given)
#define sqrt_each(given) sqrt(given)
#define sin_each(given) sin(given)
#define cos_each(given) cos(given)
#endif
#define softplus_each(given) (choose((given) > 0.0f, (given), splat(0.0f)) \
    + log_each(1.0f + exp2_lane(absolute(given) * -LOG2E)))
#define REMEMBER(k, value) if (!SAVING) sums_of[(u * 1 + k) * P + j] = value;
#define REMEMBER_STATE(i)
#define SAMPLE sample
#define SAMPLE_BACK g_sample
#define STATE v
#define SHOW_BACK(j) \
    g[j] += shown[j]; \


EACH_SPLIT(j, P) {
    for (int k = ptr[j] + PART; k < ptr[j + 1]; k += PARTS) {
        fr0[SPOT(k, in)] = q_rate_w[k];
    }
    for (int k = sensory_ptr[j] + PART; k < sensory_ptr[j + 1]; k += PARTS) {
        fs0[k] = q_sensory_rate_w[k];
    }
}
BARRIER
EACH_SPLIT(i, P) {
    for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {
        ofr0[SPOT(q, back)] = fr0[SPOT(out[q], in)];
    }
}
EACH_SPLIT(i, I) {
    for (int q = sensory_out_ptr[i] + PART; q < sensory_out_ptr[i + 1]; q += PARTS) {
        ofs0[q] = fs0[sensory_out[q]];
    }
}
EACH_ANY(i, 1 * E) NO_SUM(sum_r, i)
EACH_ANY(i, 1 * S) sum_s[i] = splat(0.0f);
EACH(j, P) {
    sum_n[0 * P + j] = splat(0.0f);
    sum_n[1 * P + j] = splat(0.0f);
}
FETCH(g, d_last, 0);
if (EVENTS) EACH(j, M) owed[j] = splat(0.0f);
#include "frame/memory_begin_back.c"
BARRIER
int here, entered = T;
real dt, span;
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
    const int start = t - t % KEEP;
    const int entering = start != entered;
    entered = start;
    if (entering && !SAVING) FETCH(path, kept, start / KEEP);
    #include "frame/memory_enter.c"
    BARRIER
    if (SAVING) {
        EACH(j, N) v[j] = SAVED(states, t, j);
    }
    for (int step = entering && !SAVING ? start : t; step <= t; step++) {
        #include "frame/enter.c"
        #include "frame/sample.c"
        if (!SAVING) EACH(j, N) v[j] = path[(step - start) * N + j];
        #include "frame/memory_again.c"
        dt = choose(span < TINY, splat(1.0f), span) * (1.0f / UNFOLDS);
        EACH(i, I) {
            input[0 * I + i] = sample[i];
        }
        BARRIER
        EACH_SPLIT(j, P) {
            real t_s0 = splat(0.0f);
            for (int k = sensory_ptr[j] + PART; k < sensory_ptr[j + 1]; k += PARTS) {
                const int from = sensory_pre[k];
                t_s0 += (fs0[k] * input[0 * I + from]);
            }
            t_s0 = JOINED(t_s0);
            if (PART == 0) {
                drive[0 * P + j] = t_s0;
            }
        }
        EACH(j, P) {
            fixed[0 * P + j] = INVERSE((q_of0_pre[j] + dt));
        }
        BARRIER
        for (int u = 0; u < UNFOLDS; u++) {
            const int now = u * N, next = now + N;
            if (!SAVING) {
                WEIGHED(summed, fr0, &v[now + 0], ptr, pre, in)
            }
            EACH(j, P) {
                {
                    const real was = SAVING ? SAVED(sums, step * UNFOLDS + u, j) : summed[j];
                    REMEMBER(0, was)
                    if (held[j] > 0.0f) {
                        v[next + j] = v[now + j];
                    } else {
                        const real u0 = (q_of0_pre[j] * v[now + j]);
                        const real u1 = sigmoid2((2.885390043258667f * (q_rate_b[j] + was + drive[0 * P + j])));
                        const real u2 = (dt * (1.0f + ((-2.0f) * u1)));
                        v[next + j] = ((u0 + u2) * fixed[0 * P + j]);
                    }
                    REMEMBER_STATE(j)
                }
            }
            BARRIER
        }
        EACH(j, N) v[UNFOLDS * N + j] = choose(span < TINY, v[j], v[UNFOLDS * N + j]);
        if (SAVING) break;
        if (step < t) EACH(j, N) path[(step + 1 - start) * N + j] = v[UNFOLDS * N + j];
        #include "frame/path.c"
        BARRIER
    }
    #include "frame/open_back.c"
    const int stays = SOME(span < TINY);
    if (stays) {
        EACH(j, N) {
            still[j] = g[j];
            g[j] = choose(span < TINY, splat(0.0f), g[j]);
        }
    }
    EACH(j, P) {
        g_time[j] = splat(0.0f);
        d_drive[0 * P + j] = splat(0.0f);
    }
    BARRIER
    for (int u = UNFOLDS - 1; u >= 0; u--) {
        const int now = u * N;
        EACH(j, P) {
            if (held[j] > 0.0f) {
                local[j] = g[j];
                d_sum[0 * P + j] = splat(0.0f);
            } else {
                const real was0 = SAVING ? SAVED(sums, t * UNFOLDS + u, 0 * P + j) : sums_of[(u * 1 + 0) * P + j];
                const real a0 = (g[j] * fixed[0 * P + j]);
                const real a1 = sigmoid2((2.885390043258667f * (q_rate_b[j] + was0 + drive[0 * P + j])));
                const real a2 = (2.885390043258667f * ((-0.6931471824645996f) * ((-2.0f) * (a0 * dt)) * (a1 + ((-1.0f) * a1 * a1))));
                const real a3 = (q_of0_pre[j] * v[now + j]);
                const real a4 = (1.0f + ((-2.0f) * a1));
                const real a5 = (dt * a4);
                const real a6 = ((-1.0f) * (g[j] * (a3 + a5)) * fixed[0 * P + j] * fixed[0 * P + j]);
                local[j] = (q_of0_pre[j] * a0);
                d_sum[0 * P + j] = a2;
                d_drive[0 * P + j] += a2;
                sum_n[0 * P + j] += a2;
                sum_n[1 * P + j] += (a6 + (a0 * v[now + j]));
                g_time[j] += (a6 + (a0 * a4));
            }
            d_sums[(0 * P + j) * UNFOLDS + u] = d_sum[0 * P + j];
        }
        BARRIER
        WEIGHED(back, ofr0, d_sum, out_ptr, out_post, back)
        EACH(i, P) {
            const real from0 = v[now + i];
            real d_from0 = back[i];
            if (PART == 0) {
                g[i] = local[i] + d_from0;
            }
        }
        BARRIER
    }
    if (UNFOLDS == 6) {
        EACH_SPLIT(i, P) {
            const real from0_0 = v[0 * N + i];
            const real from0_1 = v[1 * N + i];
            const real from0_2 = v[2 * N + i];
            const real from0_3 = v[3 * N + i];
            const real from0_4 = v[4 * N + i];
            const real from0_5 = v[5 * N + i];
            for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {
                const int at = out_post[q] * 6;
                real w_0 = splat(0.0f);
                w_0 += (d_sums[0 * P * 6 + at + 0] * from0_0);
                w_0 += (d_sums[0 * P * 6 + at + 1] * from0_1);
                w_0 += (d_sums[0 * P * 6 + at + 2] * from0_2);
                w_0 += (d_sums[0 * P * 6 + at + 3] * from0_3);
                w_0 += (d_sums[0 * P * 6 + at + 4] * from0_4);
                w_0 += (d_sums[0 * P * 6 + at + 5] * from0_5);
                ADD_SUM(sum_r, 1 * q + 0, w_0)
            }
        }
    } else {
        EACH_SPLIT(i, P) {
            for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {
                const int at = out_post[q] * UNFOLDS;
                real w_0 = splat(0.0f);
                for (int u = 0; u < UNFOLDS; u++) {
                    const real from0 = v[u * N + i];
                    w_0 += (d_sums[0 * P * UNFOLDS + at + u] * from0);
                }
                ADD_SUM(sum_r, 1 * q + 0, w_0)
            }
        }
    }
    BARRIER
    EACH_SPLIT(i, I) {
        real d_from0 = splat(0.0f);
        for (int q = sensory_out_ptr[i] + PART; q < sensory_out_ptr[i + 1]; q += PARTS) {
            const int j = sensory_out_post[q];
            const real g_s0 = d_drive[0 * P + j];
            sum_s[1 * q + 0] += (g_s0 * input[0 * I + i]);
            d_from0 += (ofs0[q] * g_s0);
        }
        d_from0 = JOINED(d_from0);
        if (PART == 0) {
            g_sample[i] = d_from0;
        }
    }
    EACH_SPLIT(only, 1) {
        real sum = splat(0.0f);
        for (int j = PART; j < P; j += PARTS) sum += g_time[j];
        sum = JOINED(sum);
        if (PART == 0) g_span[only] = sum * (1.0f / UNFOLDS);
    }
    if (stays) EACH(j, N) g[j] = choose(span < TINY, still[j], g[j]);
    #include "frame/close_back.c"
    STORE(d_x, here, g_sample);
    STORE(d_timespans, here, g_span);
    BARRIER
}
STORE(d_state, 0, g);
EACH(j, P) d_q_rate_b[j] = TOTAL(sum_n[0 * P + j]);
EACH(j, P) d_q_of0_pre[j] = TOTAL(sum_n[1 * P + j]);
EACH(j, P) d_held[j] = 0.0f;
EACH_SPLIT(i, P) {
    for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {
        const int k = out[q];
        const over_rows s0 = SUM_TOTAL(sum_r, 1 * q + 0);
        d_q_rate_w[k] = s0;
    }
}
EACH_SPLIT(i, I) {
    for (int q = sensory_out_ptr[i] + PART; q < sensory_out_ptr[i + 1]; q += PARTS) {
        const int k = sensory_out[q];
        const over_rows s0 = TOTAL(sum_s[1 * q + 0]);
        d_q_sensory_rate_w[k] = s0;
    }
}
