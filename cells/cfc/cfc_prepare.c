// cfc_prepare: weights and biases as cfc_step takes them.
#define FOLDED weight
#define PLACE(kind) kind##_place
#include "cfc_fold.c"
#undef FOLDED
#undef PLACE
EACH(j, N) {
    for (int m = 0; m < MAPS; m++) bias[MAPS * j + m] = MAP(m, ff1_b, ff2_b, time_a_b, time_b_b)[j];
    if (MAPS == 3) bias[MAPS * j + 2] += time_b_b[j];
}
