// dense_layer: act[to...] = weights act[from...] + biases, `count` units of `width` inputs, TILE units at a time.
//: uses at bias_at biases count from to weights width, writes act
EACH_BY(TILE, o, 0, count) {
    int64_t place[TILE];
    real sum[TILE];
    for (int r = 0; r < TILE; r++) {
        const int unit = o + r < count ? o + r : count - 1;  // beyond the last unit, the last one again
        place[r] = at + (int64_t)unit * width;
        sum[r] = splat(PART ? 0.0f : biases[bias_at + unit]);
    }
    for (int i = PART; i < width; i += PARTS) {
        for (int r = 0; r < TILE; r++) sum[r] += weights[place[r] + i] * act[from + i];
    }
    for (int r = 0; r < TILE && o + r < count; r++) {
        sum[r] = JOINED(sum[r]);
        if (PART == 0) act[to + o + r] = sum[r];
    }
}
BARRIER
