// cfc_weights: the gradients of the weights of synapse k and the one after it, over the kept time steps, so that their
// sums stay in registers. CARRIED(k) is where what the synapse carried begins, PLACE(k) where the weight of map m is
// in WEIGHTS, if it has one.
const int other = k + 1 < end ? k + 1 : k;
real sum[MAPS], more[MAPS];
for (int m = 0; m < MAPS; m++) sum[m] = more[m] = splat(0.0f);
for (int c = 0; c < steps; c++) {
    const real here = CARRIED(k)[c], beside = CARRIED(other)[c];
    for (int m = 0; m < MAPS; m++) {
        sum[m] += here * ds[(MAPS * j + m) * SLOTS + c];
        more[m] += beside * ds[(MAPS * j + m) * SLOTS + c];
    }
}
for (int m = 0; m < MAPS; m++) {
    if (PLACE(k) >= 0) WEIGHTS[PLACE(k)] += TOTAL(sum[m]);
    if (other > k && PLACE(other) >= 0) WEIGHTS[PLACE(other)] += TOTAL(more[m]);
}
