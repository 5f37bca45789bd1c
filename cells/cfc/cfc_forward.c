// cfc_forward: a whole sequence of a wired CfC for one block of the batch.
//
// With MAPS = 4 the gated modes (GATED = 1: default, 0: no_gate), with MAPS = 1 the mode pure. With MAPS = 3 the gated
// modes where every time span is 1: the gate's two maps are then one, their sum.
//
//: constants MAPS TEAM SECTIONS
//: carried   MAPS=1,3,4 TEAM=8 SECTIONS=5
//: sizes    T KEEP SAVING EVENTS BACK I N M E S F G P PHASES
//: numbers  GATED
//: index    phase_start[PHASES+1] phase_end[PHASES+1] at[SECTIONS*N+1] source[P]
//: index    ff_place[F] sensory_ff_place[G] time_place[E] sensory_time_place[S]
//: values   ff1_w[F] sensory_ff1_w[G] ff1_b[N]
//: values   ff2_w[(MAPS>1)*F] sensory_ff2_w[(MAPS>1)*G] ff2_b[(MAPS>1)*N]
//: values   time_a_w[(MAPS>1)*E] sensory_time_a_w[(MAPS>1)*S] time_a_b[(MAPS>1)*N]
//: values   time_b_w[(MAPS>1)*E] sensory_time_b_w[(MAPS>1)*S] time_b_b[(MAPS>1)*N]
//: values   w_tau[(MAPS==1)*N] A[(MAPS==1)*N]
//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] state[1][N]
//: results  outputs[T][M] last[1][N] kept[(T+KEEP-1)/KEEP][N]
//: saves    states[SAVING*(T*(1+EVENTS)+1)][N] locals[SAVING*T][(MAPS+(MAPS==1))*N]
//: folded   weight[MAPS*P] bias[MAPS*N]
//: scratch  seen[N+I] fresh[N] shown[M] showing[M] before[N]
#define REMEMBER(m, value) SAVE(locals, step, LOCALS * j + (m), value)
#define STRIDE (1 + EVENTS)  // the state before a step is the one behind the step before, but for events
#define SAMPLE (seen + N)
#define STATE seen
#define SHOW(j) seen[j]

ONCE {
    #include "cfc_prepare.c"
}
int here;
real span;
real event = splat(0.0f);
FETCH(seen, state, 0);
if (EVENTS) EACH(j, M) showing[j] = splat(0.0f);
for (int step = 0; step < T; step++) {
    #include "frame/open.c"
    #include "frame/sample.c"
    #include "frame/memory.c"
    if (step == 0 || EVENTS) EACH(j, N) { SAVE(states, step * STRIDE, j, seen[j]) }
    #include "cfc_step.c"
    EACH(j, N) { SAVE(states, step * STRIDE + 1, j, seen[j]) }
    #include "frame/close.c"
}
STORE(last, 0, seen);
