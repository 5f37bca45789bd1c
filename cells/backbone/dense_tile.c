// dense_tile: the gradients of the weights from inputs i... to units o..., SIDE by SIDE, over the kept time steps.
//: uses ACTS acts at count d_acts found from i o steps to width, writes d_weights, makes column sum unit
int64_t unit[SIDE], column[SIDE];
real sum[SIDE][SIDE];
for (int r = 0; r < SIDE; r++) {
    unit[r] = to + (o + r < count ? o + r : count - 1);
    column[r] = from + (i + r < width ? i + r : width - 1);
    for (int q = 0; q < SIDE; q++) sum[r][q] = splat(0.0f);
}
for (int c = 0; c < steps; c++) {
    for (int r = 0; r < SIDE; r++) {
        for (int q = 0; q < SIDE; q++) sum[r][q] += d_acts[c * ACTS + unit[r]] * acts[c * ACTS + column[q]];
    }
}
for (int q = 0; q < SIDE && i + q < width; q++) {
    TOTALS(found, sum, q)
    for (int r = 0; r < SIDE && o + r < count; r++) d_weights[at + (int64_t)(o + r) * width + i + q] += found[r];
}
