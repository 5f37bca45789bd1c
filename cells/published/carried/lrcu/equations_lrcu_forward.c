// equations_lrcu_forward: a whole sequence for one block of the batch. Generated from equations.
//: sizes    T KEEP SAVING EVENTS BACK I N P M E S K UNFOLDS
//: index    ptr[P+1] pre[E] sensory_ptr[P+1] sensory_pre[S] link_ptr[P+1] link_pre[K]
//: values   q_w[E] q_h[E] q_mu[E] q_sigma[E] q_elastance_w[E] q_sensory_w[S] q_sensory_h[S] q_sensory_mu[S] q_sensory_sigma[S] q_sensory_elastance_w[S] q_gleak[P] q_vleak[P] q_elastance_b[P] q_elastance_shift[P] q_input_w[I] q_input_b[I] q_output_w[M] q_output_b[M] held[P]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] state[1][N]
//: results  outputs[T][M] last[1][N] kept[(T+KEEP-1)/KEEP][N]
//: saves    states[SAVING*(T*(UNFOLDS+EVENTS)+1)][N]
//: saves    sums[SAVING*T*UNFOLDS][3*P]
//: folded   fr0[E] fr1[E] fr2[E] fr3[E] fr4[E] fs0[S] fs1[S] fs2[S] fs3[S] fs4[S]
//: scratch  v[2*N] sample[I] input[1*I] drive[3*P] shown[M] showing[M] before[N] still[N]
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
#define REMEMBER(k, value) SAVE(sums, step * UNFOLDS + u, k * P + j, value)
#define REMEMBER_STATE(i) SAVE(states, step * STRIDE + u + 1, i, v[next + i])
#define STRIDE (UNFOLDS + EVENTS)
#define SAMPLE sample
#define STATE (v + now)
#define SHOW(j) (q_output_b[j] + (q_output_w[j] * v[now + j]))

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
int now = 0, next = N, here;
real dt, span;
real event = splat(0.0f);
FETCH(v, state, 0);
if (EVENTS) EACH(j, M) showing[j] = splat(0.0f);
for (int step = 0; step < T; step++) {
    #include "frame/open.c"
    #include "frame/sample.c"
    #include "frame/memory.c"
    if (step == 0 || EVENTS) EACH(j, N) { SAVE(states, step * STRIDE, j, v[now + j]) }
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
    const int stays = SOME(span < TINY);
    if (stays) EACH(j, N) still[j] = v[now + j];
    BARRIER
    for (int u = 0; u < UNFOLDS; u++) {
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
                    const real u1 = sigmoid2(((-1.4426950216293335f) * (q_elastance_b[j] + q_elastance_shift[j] + t_r2 + drive[2 * P + j])));
                    const real u2 = sigmoid2(((-1.4426950216293335f) * (q_elastance_b[j] + ((-1.0f) * q_elastance_shift[j]) + t_r2 + drive[2 * P + j])));
                    const real u3 = sigmoid2(((-1.4426950216293335f) * (q_gleak[j] + t_r0 + drive[0 * P + j])));
                    const real u4 = ((-1.0f) * u3 * v[now + j]);
                    const real u5 = sigmoid2((2.885390043258667f * (q_gleak[j] + t_r1 + drive[1 * P + j])));
                    const real u6 = (q_vleak[j] * (1.0f + ((-2.0f) * u5)));
                    v[next + j] = (v[now + j] + (dt * (u1 + ((-1.0f) * u2)) * (u4 + u6)));
                }
                REMEMBER_STATE(j)
            }
        }
        BARRIER
        const int old = now;
        now = next;
        next = old;
    }
    if (stays) {
        EACH(j, N) {
            v[now + j] = choose(span < TINY, still[j], v[now + j]);
            SAVE(states, step * STRIDE + UNFOLDS, j, v[now + j])
        }
    }
    #include "frame/close.c"
}
STORE(last, 0, v + now);
