// dense_place: where the inputs, outputs and weights of a layer of the backbone lie.
//: uses H I N layer, makes at from to width
const int width = layer == 0 ? I + N : H;
const int from = layer == 0 ? 0 : I + N + (layer - 1) * H;
const int to = I + N + layer * H;
const int64_t at = layer == 0 ? 0 : (int64_t)H * (I + N) + (int64_t)(layer - 1) * H * H;
