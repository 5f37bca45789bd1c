// dense_forward: a whole sequence of a CfC without wiring, behind a backbone, for one block of the batch.
//
// `act` holds one time step: the inputs, the states, each layer of H units, and the sums of the maps, which read W of
// these. With MAPS = 4 the gated modes (GATED = 1: default, 0: no_gate), with MAPS = 1 the mode pure. With MAPS = 3 the
// gated modes where every time span is 1: the gate's two maps are then one, their sum.
//
//: constants MAPS
//: carried   MAPS=1,3,4
//: sizes    T KEEP SAVING EVENTS BACK I N M H W LAYERS WEIGHTS ACTIVATION
//: numbers  GATED
//: values   backbone_w[WEIGHTS] backbone_b[LAYERS*H]
//: values   ff1_w[N*W] ff1_b[N] ff2_w[(MAPS>1)*N*W] ff2_b[(MAPS>1)*N]
//: values   time_a_w[(MAPS>1)*N*W] time_a_b[(MAPS>1)*N] time_b_w[(MAPS>1)*N*W] time_b_b[(MAPS>1)*N]
//: values   w_tau[(MAPS==1)*N] A[(MAPS==1)*N]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] state[1][N]
//: results  outputs[T][M] last[1][N] kept[(T+KEEP-1)/KEEP][N]
//: saves    acts_of[SAVING*T][I+N+LAYERS*H+MAPS*N] bends[SAVING*T][LAYERS*H]
//: folded   gate_w[(MAPS==3)*N*W] gate_b[(MAPS==3)*N]
//: scratch  act[I+N+LAYERS*H+MAPS*N] shown[M] showing[M] before[N]
#define REMEMBER(m, value)
#define BEND(i, slope) SAVE(bends, step, (i) - (I + N), slope)
#define fresh (act + I)
#define SAMPLE act
#define STATE fresh
#define SHOW(j) fresh[j]

#include "dense_maps.c"
int here;
real span;
real event = splat(0.0f);
FETCH(fresh, state, 0);
if (EVENTS) EACH(j, M) showing[j] = splat(0.0f);
for (int step = 0; step < T; step++) {
    #include "frame/open.c"
    #include "frame/sample.c"
    #include "frame/memory.c"
    #include "dense_step.c"
    if (SAVING) EACH_ANY(i, SUMS + MAPS * N) { SAVE(acts_of, step, i, act[i]) }
    BARRIER
    EACH(j, N) {
        real sum[MAPS];
        for (int m = 0; m < MAPS; m++) sum[m] = act[SUMS + m * N + j];
        #include "../cfc/cfc_update.c"
    }
    #include "frame/close.c"
    BARRIER
}
STORE(last, 0, fresh);
#undef fresh
