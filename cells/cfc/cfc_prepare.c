// cfc_prepare: weights and biases as cfc_step takes them.
//: uses E F G MAPS N S ff ff1_b ff1_w ff2_b ff2_w sensory_ff sensory_ff1_w sensory_ff2_w sensory_time sensory_time_a_w sensory_time_b_w time time_a_b time_a_w time_b_b time_b_w weight, writes bias
#define FOLDED weight
#define PLACE(kind) kind##_place
#include "cfc_fold.c"
#undef FOLDED
#undef PLACE
EACH(j, N) {
    for (int m = 0; m < MAPS; m++) bias[MAPS * j + m] = MAP(m, ff1_b, ff2_b, time_a_b, time_b_b)[j];
    if (MAPS == 3) bias[MAPS * j + 2] += time_b_b[j];
}
