// ltc_fold: sigmoid(sigma (v - mu)) = 1 / (1 + 2^(shift + slope v)), one multiply-add in front of the exponential.
//: uses COUPLED N erev gap link_ptr mu ptr sensory_erev sensory_mu sensory_ptr sensory_sigma sensory_w sigma w, writes gap_load push sensory_push sensory_shift sensory_slope shift slope
EACH_SYNAPSE(k, ptr) {
    slope[k] = -LOG2E * sigma[k];
    shift[k] = LOG2E * sigma[k] * mu[k];
    push[k] = w[k] * erev[k];
}
EACH_SYNAPSE(k, sensory_ptr) {
    sensory_slope[k] = -LOG2E * sensory_sigma[k];
    sensory_shift[k] = LOG2E * sensory_sigma[k] * sensory_mu[k];
    sensory_push[k] = sensory_w[k] * sensory_erev[k];
}
#if COUPLED
EACH(j, N) {
    float sum = 0.0f;
    for (int k = link_ptr[j]; k < link_ptr[j + 1]; k++) sum += gap[k];
    gap_load[j] = sum;
}
#endif
