// ltc_forward: a whole LTC sequence for one block of the batch.
//
//: sizes    T KEEP SAVING I N M E S UNFOLDS
//: numbers  EPSILON
//: index    ptr[N+1] pre[E] sensory_ptr[N+1] sensory_pre[S]
//: values   w[E] mu[E] sigma[E] erev[E] sensory_w[S] sensory_mu[S] sensory_sigma[S] sensory_erev[S]
//: values   gleak[N] vleak[N] cm[N] input_w[I] input_b[I] output_w[M] output_b[M]
//: rows     x[T][I] timespans[T][1] state[1][N]
//: results  outputs[T][M] last[1][N] kept[(T+KEEP-1)/KEEP][N]
//: saves    states[SAVING*(T*UNFOLDS+1)][N] fractions[SAVING*T*UNFOLDS][N]
//: folded   slope[E] shift[E] push[E] sensory_slope[S] sensory_shift[S] sensory_push[S]
//: scratch  v[2*N] sample[I] input[I] span[1] drive[N] load[N] shown[M]
#define REMEMBER_SENSORY(s)
#define REMEMBER(fraction)                                   \
    SAVE(states, step * UNFOLDS + u + 1, j, v[next + j]) \
    SAVE(fractions, step * UNFOLDS + u, j, fraction)

#include "ltc_fold.c"
int now = 0, next = N;
real rate;
FETCH(v, state, 0);
EACH(j, N) { SAVE(states, 0, j, v[j]) }
for (int step = 0; step < T; step++) {
    if (step % KEEP == 0) STORE(kept, step / KEEP, v + now);
    #include "ltc_inputs.c"
    for (int u = 0; u < UNFOLDS; u++) {
        #include "ltc_unfold.c"
        const int old = now;
        now = next;
        next = old;
    }
    EACH(j, M) shown[j] = v[now + j] * output_w[j] + output_b[j];
    STORE(outputs, step, shown);
}
STORE(last, 0, v + now);
