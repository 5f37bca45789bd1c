// dense_step: one time step; act[I...D] are the old states at first and the new ones at last.
//: uses ACTIVATION BEND H I LAYERS MAPS N biases weights, writes act
for (int layer = 0; layer <= LAYERS; layer++) {
    #include "dense_place.c"
    #include "dense_layer.c"
    if (layer < LAYERS) {
        EACH(o, count) {
            BEND(to + o, activation_slope(ACTIVATION, act[to + o]))
            act[to + o] = activation(ACTIVATION, act[to + o]);
        }
        BARRIER
    }
}
