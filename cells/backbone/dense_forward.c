// dense_forward: a whole sequence of a CfC without wiring, behind a backbone, for one block of the batch.
//
// `act` holds one time step: the inputs, the states, each layer of H units, and the sums of the maps.
//
//: constants MAPS
//: carried   MAPS=1,4
//: sizes    T KEEP SAVING I N H LAYERS WEIGHTS ACTIVATION
//: numbers  GATED
//: values   weights[WEIGHTS] biases[LAYERS*H+MAPS*N] w_tau[(MAPS==1)*N] A[(MAPS==1)*N]
//: rows     x[T][I] timespans[T][1] state[1][N]
//: results  outputs[T][N] last[1][N] kept[(T+KEEP-1)/KEEP][N]
//: saves    acts_of[SAVING*T][I+N+LAYERS*H+MAPS*N] bends[SAVING*T][LAYERS*H]
//: scratch  act[I+N+LAYERS*H+MAPS*N] span[1]
#define REMEMBER(m, value)
#define BEND(i, slope) SAVE(bends, step, (i) - (I + N), slope)
#define fresh (act + I)

FETCH(fresh, state, 0);
for (int step = 0; step < T; step++) {
    if (step % KEEP == 0) STORE(kept, step / KEEP, fresh);
    #include "dense_step.c"
    EACH_ANY(i, I + N + LAYERS * H + MAPS * N) { SAVE(acts_of, step, i, act[i]) }
    BARRIER
    EACH(j, N) {
        real sum[MAPS];
        for (int m = 0; m < MAPS; m++) sum[m] = act[I + N + LAYERS * H + m * N + j];
        #include "../cfc/cfc_update.c"
    }
    STORE(outputs, step, fresh);
    BARRIER
}
STORE(last, 0, fresh);
#undef fresh
