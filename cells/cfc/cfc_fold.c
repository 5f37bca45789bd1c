// cfc_fold: the maps' weights side by side in FOLDED, in the order of reading for which PLACE(kind) has the place of each.
// The maps ff1 and ff2 may lack synapses that the time gates have. With MAPS = 3 the time gate is one map, the sum of
// its two.
//: uses E F G MAPS PLACE S ff ff1_w ff2_w sensory_ff sensory_ff1_w sensory_ff2_w sensory_time sensory_time_a_w sensory_time_b_w time time_a_w time_b_w, writes FOLDED
EACH_ANY(k, F) {
    FOLDED[MAPS * PLACE(ff)[k]] = ff1_w[k];
    if (MAPS > 1) FOLDED[MAPS * PLACE(ff)[k] + 1] = ff2_w[k];
}
EACH_ANY(k, G) {
    FOLDED[MAPS * PLACE(sensory_ff)[k]] = sensory_ff1_w[k];
    if (MAPS > 1) FOLDED[MAPS * PLACE(sensory_ff)[k] + 1] = sensory_ff2_w[k];
}
if (MAPS > 1) {
    EACH_ANY(k, E) {
        FOLDED[MAPS * PLACE(time)[k] + 2] = time_a_w[k] + (MAPS == 3 ? time_b_w[k] : 0.0f);
        if (MAPS == 4) FOLDED[MAPS * PLACE(time)[k] + 3] = time_b_w[k];
    }
    EACH_ANY(k, S) {
        FOLDED[MAPS * PLACE(sensory_time)[k] + 2] = sensory_time_a_w[k] + (MAPS == 3 ? sensory_time_b_w[k] : 0.0f);
        if (MAPS == 4) FOLDED[MAPS * PLACE(sensory_time)[k] + 3] = sensory_time_b_w[k];
    }
}
