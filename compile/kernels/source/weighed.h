// What synapses that are products bring to each neuron: see WEIGHED in functions.h. Neurons come sorted by how many
// synapses they have, and BESIDE of them are summed up side by side: one sum waits for itself, and the end of a
// loop over few synapses is guessed wrongly. Their synapses lie in turns as far as all of them have some, then what is left
// of each. A sum has the order that it has in the plan.
static __attribute__((noinline)) void weighed(real *__restrict to, const float *weights, const real *__restrict from, const int *order,
                    const int *many, const int *read, int count) {
    for (int first = 0; first < count; first += BESIDE) {
        const int left = count - first, all = left < BESIDE ? 0 : many[first + BESIDE - 1];
        real sum[BESIDE];
        for (int n = 0; n < BESIDE; n++) sum[n] = splat(0.0f);
        for (int k = 0; k < all; k++, weights += BESIDE, read += BESIDE) {
            for (int n = 0; n < BESIDE; n++) sum[n] += weights[n] * from[read[n]];
        }
        for (int n = 0; n < BESIDE; n++) {
            if (n >= left) continue;
            for (int k = all; k < many[first + n]; k++) sum[n] += *weights++ * from[*read++];
            to[order[first + n]] = sum[n];
        }
    }
}

#define WEIGHED(to, weights, from, ptr, pre, set) \
    weighed(to, weights, from, set##_order, set##_many, set##_read, P);
#define SPOT(k, set) set##_spot[k]
