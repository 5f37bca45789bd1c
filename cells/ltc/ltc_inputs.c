// ltc_inputs: what does not change over the unfolds of time step `step`: `rate` is 1 / dt, and `drive` and `load`
// are each neuron's numerator and denominator without the recurrent synapses.
//: uses COUPLED EPSILON I N REMEMBER_SENSORY UNFOLDS cm gap_load gleak input_b input_w sample sensory_pre sensory_ptr sensory_push sensory_shift sensory_slope sensory_w span vleak, writes drive input load rate
rate = (float)UNFOLDS / choose(span < TINY, splat(1.0f), span);
EACH(i, I) input[i] = sample[i] * input_w[i] + input_b[i];
BARRIER
EACH_SPLIT(j, N) {
    real num = PART ? splat(0.0f) : splat(gleak[j] * vleak[j]);
    real den = PART ? splat(0.0f) : cm[j] * rate + (gleak[j] + EPSILON);
    for (int k = sensory_ptr[j] + PART; k < sensory_ptr[j + 1]; k += PARTS) {
        const real s = sigmoid2(sensory_slope[k] * input[sensory_pre[k]] + sensory_shift[k]);
        num += sensory_push[k] * s;
        den += sensory_w[k] * s;
        REMEMBER_SENSORY(s)
    }
    #if COUPLED
    if (PART == 0) den += gap_load[j];
    #endif
    num = JOINED(num);
    den = JOINED(den);
    if (PART == 0) {
        drive[j] = num;
        load[j] = den;
    }
}
