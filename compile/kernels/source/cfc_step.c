// cfc_step: one time step. `seen` holds the old states at first and, phase after phase, the new ones.
FETCH(sample, x, step);
FETCH(span, timespans, step);
BARRIER
for (int phase = 0; phase < PHASES; phase++) {
    EACH_IN(j, phase_start[phase], phase_end[phase]) {
        real sum[MAPS], more[MAPS];  // two sums per map, to add up side by side
        for (int m = 0; m < MAPS; m++) {
            sum[m] = splat(bias[MAPS * j + m]);
            more[m] = splat(0.0f);
        }
        for (int k = sensory_ptr[j]; k < sensory_ptr[j + 1]; k++) {
            const real from = sample[sensory_pre[k]];
            for (int m = 0; m < MAPS; m++) sum[m] += sensory_weight[MAPS * k + m] * from;
        }
        int k = ptr[j];
        for (; k + 1 < ptr[j + 1]; k += 2) {
            const real from = seen[pre[k]], other = seen[pre[k + 1]];
            for (int m = 0; m < MAPS; m++) {
                sum[m] += weight[MAPS * k + m] * from;
                more[m] += weight[MAPS * (k + 1) + m] * other;
            }
        }
        if (k < ptr[j + 1]) {
            for (int m = 0; m < MAPS; m++) sum[m] += weight[MAPS * k + m] * seen[pre[k]];
        }
        for (int m = 0; m < MAPS; m++) sum[m] += more[m];
        #include "cfc_update.c"
    }
    BARRIER
    EACH_IN(j, phase_start[phase], phase_end[phase]) seen[j] = fresh[j];
    BARRIER
}
