// dense_layer: act[to...] = weights act[from...] + biases, `count` units of `width` inputs, TILE units at a time.
EACH_STRIDE(o, count, TILE) {
    int64_t place[TILE];
    real sum[TILE];
    for (int r = 0; r < TILE; r++) {
        const int unit = o + r < count ? o + r : count - 1;  // beyond the last unit, the last one again
        place[r] = at + (int64_t)unit * width;
        sum[r] = splat(biases[bias_at + unit]);
    }
    for (int i = 0; i < width; i++) {
        for (int r = 0; r < TILE; r++) sum[r] += weights[place[r] + i] * act[from + i];
    }
    for (int r = 0; r < TILE && o + r < count; r++) act[to + o + r] = sum[r];
}
BARRIER
