// memory: the state passes through an LSTM, whose cells are `cells`. `passing` notes, N numbers of each kind, the state
// and the cells before, what is new, how far the gates let it in, keep what was and show it, and what is shown.
//: uses FORGET I N SAMPLE memory_b memory_w, writes STATE cells gates passing
EACH(j, N) {
    passing[j] = STATE[j];
    passing[N + j] = cells[j];
}
EACH_BY(SIDE, o, 0, 4 * N) {
    real sum[SIDE];
    for (int r = 0; r < SIDE; r++) sum[r] = splat(PART ? 0.0f : memory_b[o + r]);
    for (int i = PART; i < I; i += PARTS) {
        for (int r = 0; r < SIDE; r++) sum[r] += memory_w[(int64_t)4 * N * i + o + r] * SAMPLE[i];
    }
    for (int i = PART; i < N; i += PARTS) {
        for (int r = 0; r < SIDE; r++) sum[r] += memory_w[(int64_t)4 * N * (I + i) + o + r] * STATE[i];
    }
    for (int r = 0; r < SIDE; r++) {
        sum[r] = JOINED(sum[r]);
        if (PART == 0) gates[o + r] = sum[r];
    }
}
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
