// path: a stretch of states, computed again from its first one: what happens to a row between two of them.
//: uses EVENTS N event start step t, writes path
if (EVENTS && step < t) {
    EACH(j, N) {
        const real before = path[(step - start) * N + j], after = path[(step + 1 - start) * N + j];
        path[(step + 1 - start) * N + j] = choose(event < 0.0f, before, choose(event > 0.0f, splat(0.0f), after));
    }
}
