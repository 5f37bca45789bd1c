// ltc_forward: a whole LTC sequence for one block of the batch.
//
// With COUPLED = 1 there are electrical synapses: K links, one each way for every pair, with the same conductance.
//
//: constants COUPLED
//: carried   COUPLED=0,1
//: sizes    T KEEP SAVING EVENTS BACK I N M E S K UNFOLDS
//: numbers  EPSILON
//: index    ptr[N+1] pre[E] sensory_ptr[N+1] sensory_pre[S] link_ptr[COUPLED*(N+1)] link_pre[K]
//: values   w[E] mu[E] sigma[E] erev[E] sensory_w[S] sensory_mu[S] sensory_sigma[S] sensory_erev[S]
//: values   gleak[N] vleak[N] cm[N] gap[K] input_w[I] input_b[I] output_w[M] output_b[M]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] state[1][N]
//: results  outputs[T][M] last[1][N] kept[(T+KEEP-1)/KEEP][N]
//: saves    states[SAVING*(T*(UNFOLDS+EVENTS)+1)][N] fractions[SAVING*T*UNFOLDS][N]
//: folded   slope[E] shift[E] push[E] sensory_slope[S] sensory_shift[S] sensory_push[S] gap_load[COUPLED*N]
//: scratch  v[2*N] sample[I] input[I] drive[N] load[N] shown[M] showing[M] before[N] still[N]
#define REMEMBER_SENSORY(s)
#define REMEMBER(fraction)                                \
    SAVE(states, step * STRIDE + u + 1, j, v[next + j]) \
    SAVE(fractions, step * UNFOLDS + u, j, fraction)
#define STRIDE (UNFOLDS + EVENTS)  // the state before a step is the one behind the step before, but for events
#define SAMPLE sample
#define STATE (v + now)
#define SHOW(j) v[now + j] * output_w[j] + output_b[j]

#include "ltc_fold.c"
int now = 0, next = N, here;
real rate, span;
real event = splat(0.0f);
FETCH(v, state, 0);
if (EVENTS) EACH(j, M) showing[j] = splat(0.0f);
for (int step = 0; step < T; step++) {
    #include "frame/open.c"
    #include "frame/sample.c"
    #include "frame/memory.c"
    if (step == 0 || EVENTS) EACH(j, N) { SAVE(states, step * STRIDE, j, v[now + j]) }
    #include "ltc_inputs.c"
    const int stays = SOME(span < TINY);  // in no time, a state goes nowhere
    if (stays) EACH(j, N) still[j] = v[now + j];
    for (int u = 0; u < UNFOLDS; u++) {
        #include "ltc_unfold.c"
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
