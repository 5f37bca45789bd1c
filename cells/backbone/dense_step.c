// dense_step: one time step: act[...] from the inputs and states in front on, to the sums of the maps.
//: uses ACTIVATION BEND EVERY_MAP H I LAYERS N READ SUMS W backbone_b backbone_w, writes act
for (int layer = 0; layer < LAYERS; layer++) {
    #include "dense_place.c"
    EACH(o, H) act[to + o] = splat(backbone_b[layer * H + o]);
    ADD_PRODUCTS(act + to, H, act + from, width, backbone_w + at, width, 1)
    EACH(o, H) {
        const real sum = act[to + o], shown = activation(ACTIVATION, sum);
        BEND(to + o, activation_slope(ACTIVATION, sum, shown))
        act[to + o] = shown;
    }
    BARRIER
}
#define MAP_SUMS(m, weights, biases, d_weights, d_biases) \
    EACH(j, N) act[SUMS + (m) * N + j] = splat(biases[j]); \
    ADD_PRODUCTS(act + SUMS + (m) * N, N, act + READ, W, weights, W, 1)
EVERY_MAP(MAP_SUMS)
BARRIER
