// dense_layer: act[to...] = weights act[from...] + biases, `count` units of `width` inputs.
//: uses at bias_at biases count from to weights width, writes act
EACH(o, count) act[to + o] = splat(biases[bias_at + o]);
ADD_PRODUCTS(act + to, count, act + from, width, weights + at, width, 1)
BARRIER
