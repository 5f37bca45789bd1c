// equations_ctrnncell_forward: a whole sequence for one block of the batch. Generated from equations.
//: sizes    T KEEP SAVING EVENTS BACK I N P M E S K UNFOLDS
//: index    ptr[P+1] pre[E] sensory_ptr[P+1] sensory_pre[S] link_ptr[P+1] link_pre[K]
//: index    in_order[P] in_many[P] in_read[E] in_spot[E]
//: blocks   2
//: values   q_rate_w[E] q_sensory_rate_w[S] q_rate_b[P] q_of0_pre[P] held[P]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] state[1][N]
//: results  outputs[T][M] last[1][N] kept[(T+KEEP-1)/KEEP][N]
//: saves    states[SAVING*T][N]
//: saves    sums[SAVING*T*UNFOLDS][1*P]
//: folded   fr0[E] fs0[S]
//: scratch  v[2*N] sample[I] input[1*I] drive[1*P] fixed[1*P] summed[1*P] shown[M] showing[M] before[N] still[N]
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
#define REMEMBER_STATE(i)
#define STRIDE 1
#define SAMPLE sample
#define STATE (v + now)
#define SHOW(j) v[now + j]

EACH_SPLIT(j, P) {
    for (int k = ptr[j] + PART; k < ptr[j + 1]; k += PARTS) {
        fr0[SPOT(k, in)] = q_rate_w[k];
    }
    for (int k = sensory_ptr[j] + PART; k < sensory_ptr[j + 1]; k += PARTS) {
        fs0[k] = q_sensory_rate_w[k];
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
    EACH(j, N) { SAVE(states, step * STRIDE, j, v[now + j]) }
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
    const int stays = SOME(span < TINY);
    if (stays) EACH(j, N) still[j] = v[now + j];
    BARRIER
    for (int u = 0; u < UNFOLDS; u++) {
        WEIGHED(summed, fr0, &v[now + 0], ptr, pre, in)
        EACH(j, P) {
            {
                REMEMBER(0, summed[j])
                if (held[j] > 0.0f) {
                    v[next + j] = v[now + j];
                } else {
                    const real u0 = (q_of0_pre[j] * v[now + j]);
                    const real u1 = sigmoid2((2.885390043258667f * (q_rate_b[j] + summed[j] + drive[0 * P + j])));
                    const real u2 = (dt * (1.0f + ((-2.0f) * u1)));
                    v[next + j] = ((u0 + u2) * fixed[0 * P + j]);
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
        }
    }
    #include "frame/close.c"
}
STORE(last, 0, v + now);
