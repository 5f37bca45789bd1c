// memory_back: from g, the gradient of the state behind the LSTM, to that of the state before it.
//: uses GATES I N SAMPLE SAVING SEEN event memories memory_h_w memory_x_w passed_memory t, writes SAMPLE_BACK d_gates d_memory_b d_memory_h_w d_memory_x_w d_seen filled g g_memory gates passing seen_memory
EACH(j, N) {
    if (SAVING) {
        for (int m = 0; m < 7; m++) passing[m * N + j] = SAVED(memories, t, m * N + j);
    }
    const real late = passing[2 * N + j], let_in = passing[3 * N + j], keep = passing[4 * N + j];
    const real show = passing[5 * N + j], said = passing[6 * N + j];
    const real d_cell = g_memory[j] + g[j] * show * (1.0f - said * said);
    gates[j] = d_cell * let_in * (1.0f - late * late);
    gates[N + j] = d_cell * late * (let_in - let_in * let_in);
    gates[2 * N + j] = d_cell * passing[N + j] * (keep - keep * keep);
    gates[3 * N + j] = g[j] * said * (show - show * show);
    g_memory[j] = choose(event < 0.0f, passed_memory[j], d_cell * keep);
    seen_memory[filled * SEEN + I + j] = passing[j];
    for (int m = 0; m < 4; m++) d_gates[filled * GATES + m * N + j] = gates[m * N + j];
}
EACH(i, I) seen_memory[filled * SEEN + i] = SAMPLE[i];
EACH(i, I + N) d_seen[i] = splat(0.0f);
BARRIER
ADD_PRODUCTS(d_seen, I, gates, 4 * N, memory_x_w, 4 * N, 1)
ADD_PRODUCTS(d_seen + I, N, gates, 4 * N, memory_h_w, 4 * N, 1)
filled++;
if (filled == WAITING) {
    #include "memory_weights.c"
}
BARRIER
EACH(i, I) SAMPLE_BACK[i] += d_seen[i];
EACH(j, N) g[j] = d_seen[I + j];
