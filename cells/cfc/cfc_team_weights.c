// cfc_team_weights: the gradients of the weights at the places k of SIDE neighbours, from the row `first` on, which
// have their source in common, for the maps from `lowest` on, over the kept time steps.
//: uses ADD_WEIGHT MAPS SLOTS beyond carried ds first found k lowest states_of steps, makes from sum
const int from = SLOTS * carried[k];
real sum[SIDE][MAPS];
for (int r = 0; r < SIDE; r++) {
    for (int m = lowest; m < beyond; m++) sum[r][m] = splat(0.0f);
}
for (int c = 0; c < steps; c++) {
    for (int r = 0; r < SIDE; r++) {
        for (int m = lowest; m < beyond; m++) {
            sum[r][m] += states_of[from + c] * ds[(MAPS * (first + r) + m) * SLOTS + c];
        }
    }
}
for (int m = lowest; m < beyond; m++) {
    TOTALS(found, sum, m)
    for (int r = 0; r < SIDE; r++) ADD_WEIGHT(m, k + r, found[r])
}
