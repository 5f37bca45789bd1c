// cfc_fold: the maps' weights and biases side by side, as they are used. The maps ff1 and ff2 may lack synapses that
// the time gates have: `signal` is where theirs are, -1 where there is none. With MAPS = 3
// the time gate is one map, the sum of its two.
EACH(j, N) {
    for (int m = 0; m < MAPS; m++) bias[MAPS * j + m] = MAP(m, ff1_b, ff2_b, time_a_b, time_b_b)[j];
    if (MAPS == 3) bias[MAPS * j + 2] += time_b_b[j];
    for (int k = ptr[j]; k < ptr[j + 1]; k++) {
        for (int m = 0; m < MAPS; m++) {
            const int place = m < 2 ? signal[k] : k;
            weight[MAPS * k + m] = place < 0 ? 0.0f : MAP(m, ff1_w, ff2_w, time_a_w, time_b_w)[place];
        }
        if (MAPS == 3) weight[MAPS * k + 2] += time_b_w[k];
    }
    for (int k = sensory_ptr[j]; k < sensory_ptr[j + 1]; k++) {
        for (int m = 0; m < MAPS; m++) {
            const int place = m < 2 ? sensory_signal[k] : k;
            sensory_weight[MAPS * k + m] =
                place < 0 ? 0.0f
                          : MAP(m, sensory_ff1_w, sensory_ff2_w, sensory_time_a_w, sensory_time_b_w)[place];
        }
        if (MAPS == 3) sensory_weight[MAPS * k + 2] += sensory_time_b_w[k];
    }
}
