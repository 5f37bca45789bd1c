// cfc_update_back: from d_new, the gradient of neuron j's new state, to D(j, m), those of the sums of its maps.
//: uses A GATED LOCAL MAPS d_new j span w_tau, writes D d_span own, makes d_arg d_decay decay f first gate second slope
#if MAPS > 1
const real first = LOCAL(0), second = LOCAL(1), gate = LOCAL(2);
const real d_arg = d_new * (second - GATED * first) * (gate - gate * gate);
D(j, 0) = d_new * (1.0f - GATED * gate) * (1.0f - first * first);
D(j, 1) = d_new * gate * (1.0f - second * second);
D(j, 2) = d_arg * span;
D(j, MAPS - 1) = d_arg;
d_span[j] = MAPS == 4 ? d_arg * LOCAL(3) : splat(0.0f);
#else
const real f = LOCAL(0), decay = LOCAL(1);
const real d_decay = -d_new * A[j] * f * decay;  // times decay: the gradient of decay's logarithm
const real slope = choose(f > 0.0f, splat(1.0f), choose(f < 0.0f, splat(-1.0f), splat(0.0f)));
D(j, 0) = -d_new * A[j] * decay - d_decay * span * slope;
d_span[j] = -d_decay * (w_tau[j] + absolute(f));
own[2 * j] -= d_decay * span;
own[2 * j + 1] += d_new * (1.0f - decay * f);
#endif
