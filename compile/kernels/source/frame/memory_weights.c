// memory_weights: the gradients of an LSTM's weights over the time steps that wait.
//: uses GATES I N SEEN d_gates seen_memory, writes d_memory_b d_memory_h_w d_memory_x_w filled
EACH(o, 4 * N) {
    real sum = splat(0.0f);
    for (int c = 0; c < filled; c++) sum += d_gates[c * GATES + o];
    d_memory_b[o] += TOTAL(sum);
}
ADD_OUTER(d_memory_x_w, 4 * N, seen_memory, SEEN, I, d_gates, GATES, 4 * N, filled)
ADD_OUTER(d_memory_h_w, 4 * N, seen_memory + I, SEEN, N, d_gates, GATES, 4 * N, filled)
filled = 0;
