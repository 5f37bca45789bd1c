// cfc_step: one time step. `seen` holds the old states at first and, phase after phase, the new ones; then the inputs.
//: uses A GATED MAPS PHASES REMEMBER SECTIONS TEAM at bias phase_end phase_start source span w_tau weight, writes fresh seen
#define AT(j, section) at[SECTIONS * (j) + (section)]
#define WEIGHT weight
#define FROM(k, m) seen[source[k]]
for (int phase = 0; phase < PHASES; phase++) {
    EACH_BY(TOGETHER, first, phase_start[phase], phase_end[phase]) {
        #include "cfc_team.c"
        for (int j = first; j < first + TOGETHER && j < phase_end[phase]; j++) {
            #include "cfc_row.c"
            if (PART == 0) {
                for (int m = 0; m < MAPS; m++) sum[m] += bias[MAPS * j + m];
                #include "cfc_update.c"
            }
        }
    }
    BARRIER
    EACH_IN(j, phase_start[phase], phase_end[phase]) seen[j] = fresh[j];
    BARRIER
}
#undef AT
#undef WEIGHT
#undef FROM
