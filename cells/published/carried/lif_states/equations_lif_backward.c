// equations_lif_backward: the gradients of equations_lif_forward. Generated from equations.
//: sizes    T KEEP SAVING EVENTS BACK I N P M E S K UNFOLDS
//: index    ptr[P+1] pre[E] sensory_ptr[P+1] sensory_pre[S] link_ptr[P+1] link_pre[K]
//: blocks   2
//: values   q_w[E] q_sensory_w[S] q_leak[P] q_bias[P] q_threshold[P] held[P]
//: index    out_ptr[P+1] out[E] out_post[E] sensory_out_ptr[I+1] sensory_out[S] sensory_out_post[S]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] kept[(T+KEEP-1)/KEEP][N]
//: rows     d_outputs[T][M] d_last[1][N]
//: saved    states[SAVING*(T*(UNFOLDS+EVENTS)+1)][N]
//: saved    sums[SAVING*T*UNFOLDS][1*P]
//: results  d_x[T][I] d_timespans[T][1] d_state[1][N]
//: totals   d_q_w[E] d_q_sensory_w[S] d_q_leak[P] d_q_bias[P] d_q_threshold[P] d_held[P]
//: folded   fr0[E] fs0[S] ofr0[E] ofs0[S]
//: scratch  v[(UNFOLDS+1)*N] sample[I] input[1*I] drive[1*P] summed[1*P] show[1*P] shown[M] owed[M] passed[N] still[N]
//: scratch  g[N] local[N] d_sum[1*P] d_drive[1*P]  g_time[P] g_sample[I] g_span[1]
//: work     path[KEEP*N] sum_r[1*E] sum_s[1*S] sum_n[3*P] sums_of[UNFOLDS*1*P]
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
#define REMEMBER(k, value) sums_of[(u * 1 + k) * P + j] = value;
#define REMEMBER_STATE(i)
#define STRIDE (UNFOLDS + EVENTS)
#define SAMPLE sample
#define SAMPLE_BACK g_sample
#define STATE v
#define SHOW_BACK(j) \
    g[j] += shown[j]; \


EACH_SPLIT(j, P) {
    for (int k = ptr[j] + PART; k < ptr[j + 1]; k += PARTS) {
        fr0[k] = q_w[k];
    }
    for (int k = sensory_ptr[j] + PART; k < sensory_ptr[j + 1]; k += PARTS) {
        fs0[k] = q_sensory_w[k];
    }
}
BARRIER
EACH_SPLIT(i, P) {
    for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {
        ofr0[q] = fr0[out[q]];
    }
}
EACH_SPLIT(i, I) {
    for (int q = sensory_out_ptr[i] + PART; q < sensory_out_ptr[i + 1]; q += PARTS) {
        ofs0[q] = fs0[sensory_out[q]];
    }
}
EACH_ANY(i, 1 * E) sum_r[i] = splat(0.0f);
EACH_ANY(i, 1 * S) sum_s[i] = splat(0.0f);
EACH(j, P) {
    sum_n[0 * P + j] = splat(0.0f);
    sum_n[1 * P + j] = splat(0.0f);
    sum_n[2 * P + j] = splat(0.0f);
}
FETCH(g, d_last, 0);
if (EVENTS) EACH(j, M) owed[j] = splat(0.0f);
#include "frame/memory_begin_back.c"
BARRIER
int here, entered = T;
real span;
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
        EACH_ANY(i, (UNFOLDS + 1) * N) v[i] = SAVED(states, t * STRIDE, i);
    }
    for (int step = entering && !SAVING ? start : t; step <= t; step++) {
        #include "frame/enter.c"
        #include "frame/sample.c"
        if (!SAVING) EACH(j, N) v[j] = path[(step - start) * N + j];
        #include "frame/memory_again.c"
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
        if (SAVING) break;
        BARRIER
        for (int u = 0; u < UNFOLDS; u++) {
            const int now = u * N, next = now + N;
            EACH(j, P) {
                const real u0 = choose((((-1.0f) * q_threshold[j]) + v[now + j]) > 0.0f, splat(1.0f), splat(0.0f));
                show[0 * P + j] = u0;
            }
            BARRIER
            EACH_SPLIT(j, P) {
                real t_r0 = splat(0.0f);
                for (int k = ptr[j] + PART; k < ptr[j + 1]; k += PARTS) {
                    const int from = pre[k];
                    t_r0 += (fr0[k] * show[0 * P + from]);
                }
                t_r0 = JOINED(t_r0);
                if (PART == 0) {
                    summed[0 * P + j] = t_r0;
                }
            }
            EACH(j, P) {
                {
                    REMEMBER(0, summed[0 * P + j])
                    if (held[j] > 0.0f) {
                        v[next + j] = v[now + j];
                    } else {
                        const real u1 = exp2_lane(((-1.4426950216293335f) * q_leak[j] * span));
                        const real u2 = choose((((-1.0f) * q_threshold[j]) + v[now + j]) > 0.0f, splat(1.0f), splat(0.0f));
                        v[next + j] = (q_bias[j] + (u1 * (v[now + j] + ((-1.0f) * q_threshold[j] * u2))) + summed[0 * P + j] + drive[0 * P + j]);
                    }
                    REMEMBER_STATE(j)
                }
            }
            BARRIER
        }
        if (step < t) EACH(j, N) path[(step + 1 - start) * N + j] = v[UNFOLDS * N + j];
        #include "frame/path.c"
        BARRIER
    }
    #include "frame/open_back.c"
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
                const real a0 = exp2_lane(((-1.4426950216293335f) * q_leak[j] * span));
                const real a1 = (g[j] * a0);
                const real a2 = (((-1.0f) * q_threshold[j]) + v[now + j]);
                const real a3 = absolute(a2);
                const real a4 = (1.0f + (10.0f * a3));
                const real a5 = (((-1.0f) * q_threshold[j] * a1) * INVERSE((a4 * a4)));
                const real a6 = choose(a2 > 0.0f, splat(1.0f), splat(0.0f));
                const real a7 = (0.6931471824645996f * (g[j] * (v[now + j] + ((-1.0f) * q_threshold[j] * a6))) * a0);
                const real a8 = ((-1.0f) * a1 * a6);
                const real a9 = ((-1.0f) * a5);
                local[j] = (a1 + a5);
                d_sum[0 * P + j] = g[j];
                d_drive[0 * P + j] += g[j];
                sum_n[0 * P + j] += ((-1.4426950216293335f) * a7 * span);
                sum_n[1 * P + j] += g[j];
                sum_n[2 * P + j] += (a8 + a9);
                g_time[j] += ((-1.4426950216293335f) * q_leak[j] * a7);
            }
        }
        BARRIER
        EACH_SPLIT(i, P) {
            const real b0 = choose((((-1.0f) * q_threshold[i]) + v[now + i]) > 0.0f, splat(1.0f), splat(0.0f));
            const real from0 = b0;
            real d_from0 = splat(0.0f);
            for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {
                const int j = out_post[q];
                const real g_r0 = d_sum[0 * P + j];
                sum_r[1 * q + 0] += (g_r0 * from0);
                d_from0 += (ofr0[q] * g_r0);
            }
            d_from0 = JOINED(d_from0);
            if (PART == 0) {
                const real b1 = absolute((((-1.0f) * q_threshold[i]) + v[now + i]));
                const real b2 = (1.0f + (10.0f * b1));
                const real b3 = (d_from0 * INVERSE((b2 * b2)));
                g[i] = local[i] + b3;
                sum_n[2 * P + i] += ((-1.0f) * b3);
            }
        }
        BARRIER
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
        if (PART == 0) g_span[only] = sum;
    }
    #include "frame/close_back.c"
    STORE(d_x, here, g_sample);
    STORE(d_timespans, here, g_span);
    BARRIER
}
STORE(d_state, 0, g);
EACH(j, P) d_q_leak[j] = TOTAL(sum_n[0 * P + j]);
EACH(j, P) d_q_bias[j] = TOTAL(sum_n[1 * P + j]);
EACH(j, P) d_q_threshold[j] = TOTAL(sum_n[2 * P + j]);
EACH(j, P) d_held[j] = 0.0f;
EACH_SPLIT(i, P) {
    for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {
        const int k = out[q];
        const over_rows s0 = TOTAL(sum_r[1 * q + 0]);
        d_q_w[k] = s0;
    }
}
EACH_SPLIT(i, I) {
    for (int q = sensory_out_ptr[i] + PART; q < sensory_out_ptr[i + 1]; q += PARTS) {
        const int k = sensory_out[q];
        const over_rows s0 = TOTAL(sum_s[1 * q + 0]);
        d_q_sensory_w[k] = s0;
    }
}
