// memory: the state passes through an LSTM, whose cells are `cells`. `passing` notes, N numbers of each kind, the state
// and the cells before, what is new, how far the gates let it in, keep what was and show it, and what is shown.
//: uses FORGET I N SAMPLE memory_b memory_h_w memory_x_w, writes STATE cells gates passing
EACH(j, N) {
    passing[j] = STATE[j];
    passing[N + j] = cells[j];
}
EACH(o, 4 * N) gates[o] = splat(memory_b[o]);
ADD_PRODUCTS(gates, 4 * N, SAMPLE, I, memory_x_w, 1, 4 * N)
ADD_PRODUCTS(gates, 4 * N, STATE, N, memory_h_w, 1, 4 * N)
BARRIER
EACH(j, N) {
    passing[2 * N + j] = tanh_lane(gates[j]);
    passing[3 * N + j] = sigmoid(gates[N + j]);
    passing[4 * N + j] = sigmoid(gates[2 * N + j] + FORGET);
    passing[5 * N + j] = sigmoid(gates[3 * N + j]);
    cells[j] = cells[j] * passing[4 * N + j] + passing[2 * N + j] * passing[3 * N + j];
    passing[6 * N + j] = tanh_lane(cells[j]);
    STATE[j] = passing[6 * N + j] * passing[5 * N + j];
}
BARRIER
