// cfc_weights: the gradients of the weights of row j at SIDE places, from k on and before `end`, for the maps from
// `lowest` on and before `beyond`, over the kept time steps: their sums stay in registers.
//: uses ADD_WEIGHT MAPS SLOTS beyond carried ds end found j k lowest states_of steps, makes from sum
int from[SIDE];
real sum[SIDE][MAPS];
for (int r = 0; r < SIDE; r++) {
    from[r] = SLOTS * carried[k + r < end ? k + r : k];
    for (int m = lowest; m < beyond; m++) sum[r][m] = splat(0.0f);
}
for (int c = 0; c < steps; c++) {
    for (int m = lowest; m < beyond; m++) {
        const real d = ds[(MAPS * j + m) * SLOTS + c];
        for (int r = 0; r < SIDE; r++) sum[r][m] += states_of[from[r] + c] * d;
    }
}
for (int m = lowest; m < beyond; m++) {
    TOTALS(found, sum, m)
    for (int r = 0; r < SIDE && k + r < end; r++) ADD_WEIGHT(m, k + r, found[r])
}
