// memory_weights: the gradients of an LSTM's weights over the time steps that wait, SIDE by SIDE of them.
//: uses I N d_gates found seen_memory, writes d_memory_b d_memory_w filled
EACH_BY(SIDE, o, 0, 4 * N) {
    for (int r = 0; PART == 0 && r < SIDE; r++) {
        real sum = splat(0.0f);
        for (int c = 0; c < filled; c++) sum += d_gates[c * 4 * N + o + r];
        d_memory_b[o + r] += TOTAL(sum);
    }
    for (int i = SIDE * PART; i < I + N; i += SIDE * PARTS) {
        int place[SIDE];
        real sum[SIDE][SIDE];
        for (int r = 0; r < SIDE; r++) {
            place[r] = i + r < I + N ? i + r : I + N - 1;
            for (int q = 0; q < SIDE; q++) sum[r][q] = splat(0.0f);
        }
        for (int c = 0; c < filled; c++) {
            for (int r = 0; r < SIDE; r++) {
                for (int q = 0; q < SIDE; q++) {
                    sum[r][q] += d_gates[c * 4 * N + o + r] * seen_memory[c * (I + N) + place[q]];
                }
            }
        }
        for (int q = 0; q < SIDE && i + q < I + N; q++) {
            TOTALS(found, sum, q)
            for (int r = 0; r < SIDE; r++) d_memory_w[(int64_t)4 * N * (i + q) + o + r] += found[r];
        }
    }
}
filled = 0;
