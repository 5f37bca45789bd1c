// cfc_step: one time step. `seen` holds the old states at first and, phase after phase, the new ones.
FETCH(sample, x, step);
FETCH(span, timespans, step);
BARRIER
for (int phase = 0; phase < PHASES; phase++) {
    EACH_IN(j, phase_start[phase], phase_end[phase]) {
        real sum[MAPS];
        for (int m = 0; m < MAPS; m++) sum[m] = splat(bias[MAPS * j + m]);
        for (int k = sensory_ptr[j]; k < sensory_ptr[j + 1]; k++) {
            const real from = sample[sensory_pre[k]];
            for (int m = 0; m < MAPS; m++) sum[m] += sensory_weight[MAPS * k + m] * from;
        }
        for (int k = ptr[j]; k < ptr[j + 1]; k++) {
            const real from = seen[pre[k]];
            for (int m = 0; m < MAPS; m++) sum[m] += weight[MAPS * k + m] * from;
        }
        #include "cfc_update.c"
    }
    BARRIER
    EACH_IN(j, phase_start[phase], phase_end[phase]) seen[j] = fresh[j];
    BARRIER
}
