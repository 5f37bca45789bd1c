// equations_lrc_backward: the gradients of equations_lrc_forward. Generated from equations.
//: sizes    T KEEP SAVING EVENTS BACK I N P M E S K UNFOLDS
//: index    ptr[P+1] pre[E] sensory_ptr[P+1] sensory_pre[S] link_ptr[P+1] link_pre[K]
//: values   q_w[E] q_h[E] q_mu[E] q_sigma[E] q_elastance_w[E] q_sensory_w[S] q_sensory_h[S] q_sensory_mu[S] q_sensory_sigma[S] q_sensory_elastance_w[S] q_gleak[P] q_vleak[P] q_elastance_b[P] q_input_w[I] q_input_b[I] held[P]
//: index    out_ptr[P+1] out[E] out_post[E] sensory_out_ptr[I+1] sensory_out[S] sensory_out_post[S]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] kept[(T+KEEP-1)/KEEP][N]
//: rows     d_outputs[T][M] d_last[1][N]
//: saved    states[SAVING*(T*(UNFOLDS+EVENTS)+1)][N]
//: saved    sums[SAVING*T*UNFOLDS][3*P]
//: results  d_x[T][I] d_timespans[T][1] d_state[1][N]
//: totals   d_q_w[E] d_q_h[E] d_q_mu[E] d_q_sigma[E] d_q_elastance_w[E] d_q_sensory_w[S] d_q_sensory_h[S] d_q_sensory_mu[S] d_q_sensory_sigma[S] d_q_sensory_elastance_w[S] d_q_gleak[P] d_q_vleak[P] d_q_elastance_b[P] d_q_input_w[I] d_q_input_b[I] d_held[P]
//: folded   fr0[E] fr1[E] fr2[E] fr3[E] fr4[E] fs0[S] fs1[S] fs2[S] fs3[S] fs4[S] ofr0[E] ofr1[E] ofr2[E] ofr3[E] ofr4[E] ofs0[S] ofs1[S] ofs2[S] ofs3[S] ofs4[S]
//: scratch  v[(UNFOLDS+1)*N] sample[I] input[1*I] drive[3*P] shown[M] owed[M] passed[N] still[N]
//: scratch  g[N] local[N] d_sum[3*P] d_drive[3*P]  g_time[P] g_sample[I] g_span[1]
//: work     path[KEEP*N] sum_r[5*E] sum_s[5*S] sum_n[3*P] sum_i[2*I] sums_of[UNFOLDS*3*P]
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
#define REMEMBER(k, value) sums_of[(u * 3 + k) * P + j] = value;
#define REMEMBER_STATE(i)
#define STRIDE (UNFOLDS + EVENTS)
#define SAMPLE sample
#define SAMPLE_BACK g_sample
#define STATE v
#define SHOW_BACK(j) \
    g[j] += shown[j]; \


EACH_SPLIT(j, P) {
    for (int k = ptr[j] + PART; k < ptr[j + 1]; k += PARTS) {
        fr0[k] = ((-1.4426950216293335f) * q_sigma[k]);
        fr1[k] = (1.4426950216293335f * q_sigma[k] * q_mu[k]);
        fr2[k] = q_w[k];
        fr3[k] = q_h[k];
        fr4[k] = q_elastance_w[k];
    }
    for (int k = sensory_ptr[j] + PART; k < sensory_ptr[j + 1]; k += PARTS) {
        fs0[k] = ((-1.4426950216293335f) * q_sensory_sigma[k]);
        fs1[k] = (1.4426950216293335f * q_sensory_sigma[k] * q_sensory_mu[k]);
        fs2[k] = q_sensory_w[k];
        fs3[k] = q_sensory_h[k];
        fs4[k] = q_sensory_elastance_w[k];
    }
}
BARRIER
EACH_SPLIT(i, P) {
    for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {
        ofr0[q] = fr0[out[q]];
        ofr1[q] = fr1[out[q]];
        ofr2[q] = fr2[out[q]];
        ofr3[q] = fr3[out[q]];
        ofr4[q] = fr4[out[q]];
    }
}
EACH_SPLIT(i, I) {
    for (int q = sensory_out_ptr[i] + PART; q < sensory_out_ptr[i + 1]; q += PARTS) {
        ofs0[q] = fs0[sensory_out[q]];
        ofs1[q] = fs1[sensory_out[q]];
        ofs2[q] = fs2[sensory_out[q]];
        ofs3[q] = fs3[sensory_out[q]];
        ofs4[q] = fs4[sensory_out[q]];
    }
}
EACH_ANY(i, 5 * E) sum_r[i] = splat(0.0f);
EACH_ANY(i, 5 * S) sum_s[i] = splat(0.0f);
EACH(j, P) {
    sum_n[0 * P + j] = splat(0.0f);
    sum_n[1 * P + j] = splat(0.0f);
    sum_n[2 * P + j] = splat(0.0f);
}
EACH(j, I) {
    sum_i[0 * I + j] = splat(0.0f);
    sum_i[1 * I + j] = splat(0.0f);
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
        EACH_ANY(i, (UNFOLDS + 1) * N) v[i] = SAVED(states, t * STRIDE, i);
    }
    for (int step = entering && !SAVING ? start : t; step <= t; step++) {
        #include "frame/enter.c"
        #include "frame/sample.c"
        if (!SAVING) EACH(j, N) v[j] = path[(step - start) * N + j];
        #include "frame/memory_again.c"
        dt = choose(span < TINY, splat(1.0f), span) * (1.0f / UNFOLDS);
        EACH(i, I) {
            input[0 * I + i] = (q_input_b[i] + (q_input_w[i] * sample[i]));
        }
        BARRIER
        EACH_SPLIT(j, P) {
            real t_s0 = splat(0.0f);
            real t_s1 = splat(0.0f);
            real t_s2 = splat(0.0f);
            for (int k = sensory_ptr[j] + PART; k < sensory_ptr[j + 1]; k += PARTS) {
                const int from = sensory_pre[k];
                const real i0 = sigmoid2((fs1[k] + (fs0[k] * input[0 * I + from])));
                t_s0 += (fs2[k] * i0);
                t_s1 += (fs3[k] * i0);
                t_s2 += (fs4[k] * input[0 * I + from]);
            }
            t_s0 = JOINED(t_s0);
            t_s1 = JOINED(t_s1);
            t_s2 = JOINED(t_s2);
            if (PART == 0) {
                drive[0 * P + j] = t_s0;
                drive[1 * P + j] = t_s1;
                drive[2 * P + j] = t_s2;
            }
        }
        if (SAVING) break;
        BARRIER
        for (int u = 0; u < UNFOLDS; u++) {
            const int now = u * N, next = now + N;
            EACH_SPLIT(j, P) {
                real t_r0 = splat(0.0f);
                real t_r1 = splat(0.0f);
                real t_r2 = splat(0.0f);
                for (int k = ptr[j] + PART; k < ptr[j + 1]; k += PARTS) {
                    const int from = pre[k];
                    const real u0 = sigmoid2((fr1[k] + (fr0[k] * v[now + from])));
                    t_r0 += (fr2[k] * u0);
                    t_r1 += (fr3[k] * u0);
                    t_r2 += (fr4[k] * v[now + from]);
                }
                t_r0 = JOINED(t_r0);
                t_r1 = JOINED(t_r1);
                t_r2 = JOINED(t_r2);
                if (PART == 0) {
                    REMEMBER(0, t_r0)
                    REMEMBER(1, t_r1)
                    REMEMBER(2, t_r2)
                    if (held[j] > 0.0f) {
                        v[next + j] = v[now + j];
                    } else {
                        const real u1 = sigmoid2(((-1.4426950216293335f) * (q_elastance_b[j] + t_r2 + drive[2 * P + j])));
                        const real u2 = sigmoid2((2.885390043258667f * (q_gleak[j] + t_r1 + drive[1 * P + j])));
                        const real u3 = sigmoid2(((-1.4426950216293335f) * (q_gleak[j] + t_r0 + drive[0 * P + j])));
                        v[next + j] = ((v[now + j] + (q_vleak[j] * dt * u1 * (1.0f + ((-2.0f) * u2)))) * INVERSE((1.0f + (dt * u1 * u3))));
                    }
                    REMEMBER_STATE(j)
                }
            }
            BARRIER
        }
        EACH(j, N) v[UNFOLDS * N + j] = choose(span < TINY, v[j], v[UNFOLDS * N + j]);
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
        d_drive[1 * P + j] = splat(0.0f);
        d_drive[2 * P + j] = splat(0.0f);
    }
    BARRIER
    for (int u = UNFOLDS - 1; u >= 0; u--) {
        const int now = u * N;
        EACH(j, P) {
            if (held[j] > 0.0f) {
                local[j] = g[j];
                d_sum[0 * P + j] = splat(0.0f);
                d_sum[1 * P + j] = splat(0.0f);
                d_sum[2 * P + j] = splat(0.0f);
            } else {
                const real was0 = SAVING ? SAVED(sums, t * UNFOLDS + u, 0 * P + j) : sums_of[(u * 3 + 0) * P + j];
                const real was1 = SAVING ? SAVED(sums, t * UNFOLDS + u, 1 * P + j) : sums_of[(u * 3 + 1) * P + j];
                const real was2 = SAVING ? SAVED(sums, t * UNFOLDS + u, 2 * P + j) : sums_of[(u * 3 + 2) * P + j];
                const real a0 = sigmoid2(((-1.4426950216293335f) * (q_elastance_b[j] + was2 + drive[2 * P + j])));
                const real a1 = sigmoid2(((-1.4426950216293335f) * (q_gleak[j] + was0 + drive[0 * P + j])));
                const real a2 = INVERSE((1.0f + (dt * a0 * a1)));
                const real a3 = (g[j] * a2);
                const real a4 = sigmoid2((2.885390043258667f * (q_gleak[j] + was1 + drive[1 * P + j])));
                const real a5 = (1.0f + ((-2.0f) * a4));
                const real a6 = ((-1.0f) * (g[j] * (v[now + j] + (q_vleak[j] * dt * a0 * a5))) * a2 * a2);
                const real a7 = ((-1.4426950216293335f) * ((-0.6931471824645996f) * (a6 * dt * a0) * (a1 + ((-1.0f) * a1 * a1))));
                const real a8 = (2.885390043258667f * ((-0.6931471824645996f) * ((-2.0f) * (q_vleak[j] * a3 * dt * a0)) * (a4 + ((-1.0f) * a4 * a4))));
                const real a9 = (a6 * dt * a1);
                const real a10 = (q_vleak[j] * a3 * dt * a5);
                const real a11 = ((-1.4426950216293335f) * ((-0.6931471824645996f) * (a9 + a10) * (a0 + ((-1.0f) * a0 * a0))));
                const real a12 = (a6 * a0 * a1);
                const real a13 = (q_vleak[j] * a3 * a0 * a5);
                local[j] = a3;
                d_sum[0 * P + j] = a7;
                d_sum[1 * P + j] = a8;
                d_sum[2 * P + j] = a11;
                d_drive[0 * P + j] += a7;
                d_drive[1 * P + j] += a8;
                d_drive[2 * P + j] += a11;
                sum_n[0 * P + j] += (a7 + a8);
                sum_n[1 * P + j] += (a3 * dt * a0 * a5);
                sum_n[2 * P + j] += a11;
                g_time[j] += (a12 + a13);
            }
        }
        BARRIER
        EACH_SPLIT(i, P) {
            const real from0 = v[now + i];
            real d_from0 = splat(0.0f);
            for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {
                const int j = out_post[q];
                const real g_r0 = d_sum[0 * P + j];
                const real g_r1 = d_sum[1 * P + j];
                const real g_r2 = d_sum[2 * P + j];
                const real b0 = (ofr3[q] * g_r1);
                const real b1 = (ofr2[q] * g_r0);
                const real b2 = sigmoid2((ofr1[q] + (ofr0[q] * from0)));
                const real b3 = ((-0.6931471824645996f) * (b0 + b1) * (b2 + ((-1.0f) * b2 * b2)));
                const real b4 = (ofr4[q] * g_r2);
                const real b5 = (ofr0[q] * b3);
                sum_r[5 * q + 0] += (b3 * from0);
                sum_r[5 * q + 1] += b3;
                sum_r[5 * q + 2] += (g_r0 * b2);
                sum_r[5 * q + 3] += (g_r1 * b2);
                sum_r[5 * q + 4] += (g_r2 * from0);
                d_from0 += (b4 + b5);
            }
            d_from0 = JOINED(d_from0);
            if (PART == 0) {
                g[i] = local[i] + d_from0;
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
            const real g_s1 = d_drive[1 * P + j];
            const real g_s2 = d_drive[2 * P + j];
            const real c0 = (ofs3[q] * g_s1);
            const real c1 = (ofs2[q] * g_s0);
            const real c2 = sigmoid2((ofs1[q] + (ofs0[q] * input[0 * I + i])));
            const real c3 = ((-0.6931471824645996f) * (c0 + c1) * (c2 + ((-1.0f) * c2 * c2)));
            const real c4 = (ofs4[q] * g_s2);
            const real c5 = (ofs0[q] * c3);
            sum_s[5 * q + 0] += (c3 * input[0 * I + i]);
            sum_s[5 * q + 1] += c3;
            sum_s[5 * q + 2] += (g_s0 * c2);
            sum_s[5 * q + 3] += (g_s1 * c2);
            sum_s[5 * q + 4] += (g_s2 * input[0 * I + i]);
            d_from0 += (c4 + c5);
        }
        d_from0 = JOINED(d_from0);
        if (PART == 0) {
            g_sample[i] = (q_input_w[i] * d_from0);
            sum_i[0 * I + i] += (d_from0 * sample[i]);
            sum_i[1 * I + i] += d_from0;
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
EACH(j, P) d_q_gleak[j] = TOTAL(sum_n[0 * P + j]);
EACH(j, P) d_q_vleak[j] = TOTAL(sum_n[1 * P + j]);
EACH(j, P) d_q_elastance_b[j] = TOTAL(sum_n[2 * P + j]);
EACH(j, I) d_q_input_w[j] = TOTAL(sum_i[0 * I + j]);
EACH(j, I) d_q_input_b[j] = TOTAL(sum_i[1 * I + j]);
EACH(j, P) d_held[j] = 0.0f;
EACH_SPLIT(i, P) {
    for (int q = out_ptr[i] + PART; q < out_ptr[i + 1]; q += PARTS) {
        const int k = out[q];
        const over_rows s0 = TOTAL(sum_r[5 * q + 0]);
        const over_rows s1 = TOTAL(sum_r[5 * q + 1]);
        const over_rows s2 = TOTAL(sum_r[5 * q + 2]);
        const over_rows s3 = TOTAL(sum_r[5 * q + 3]);
        const over_rows s4 = TOTAL(sum_r[5 * q + 4]);
        d_q_w[k] = s2;
        d_q_h[k] = s3;
        d_q_mu[k] = (1.4426950216293335f * s1 * q_sigma[k]);
        d_q_sigma[k] = ((1.4426950216293335f * s1 * q_mu[k]) + ((-1.4426950216293335f) * s0));
        d_q_elastance_w[k] = s4;
    }
}
EACH_SPLIT(i, I) {
    for (int q = sensory_out_ptr[i] + PART; q < sensory_out_ptr[i + 1]; q += PARTS) {
        const int k = sensory_out[q];
        const over_rows s0 = TOTAL(sum_s[5 * q + 0]);
        const over_rows s1 = TOTAL(sum_s[5 * q + 1]);
        const over_rows s2 = TOTAL(sum_s[5 * q + 2]);
        const over_rows s3 = TOTAL(sum_s[5 * q + 3]);
        const over_rows s4 = TOTAL(sum_s[5 * q + 4]);
        d_q_sensory_w[k] = s2;
        d_q_sensory_h[k] = s3;
        d_q_sensory_mu[k] = (1.4426950216293335f * s1 * q_sensory_sigma[k]);
        d_q_sensory_sigma[k] = ((1.4426950216293335f * s1 * q_sensory_mu[k]) + ((-1.4426950216293335f) * s0));
        d_q_sensory_elastance_w[k] = s4;
    }
}
