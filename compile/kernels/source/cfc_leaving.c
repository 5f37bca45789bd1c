// cfc_leaving: what the synapses `begin` to `end` of those that leave a neuron bring back, added to `back`. TO has
// their targets, LEAVING their weights. Two sums per map, to add up side by side; the gradient of time_a's sum is that
// of time_b's times the time span, so it is not read.
{
    real sum[MAPS], more[MAPS];
    for (int m = 0; m < MAPS; m++) sum[m] = more[m] = splat(0.0f);
    int q = begin;
    for (; q + 1 < end; q += 2) {
        for (int m = 0; m < MAPS; m++) {
            sum[m] += D(TO[q], m == 2 ? MAPS - 1 : m) * LEAVING[MAPS * q + m];
            more[m] += D(TO[q + 1], m == 2 ? MAPS - 1 : m) * LEAVING[MAPS * (q + 1) + m];
        }
    }
    if (q < end) {
        for (int m = 0; m < MAPS; m++) sum[m] += D(TO[q], m == 2 ? MAPS - 1 : m) * LEAVING[MAPS * q + m];
    }
    for (int m = 0; m < MAPS; m++) back += (sum[m] + more[m]) * (m == 2 ? span[0] : splat(1.0f));
}
