// cfc_update: the new state of neuron j from the sums of its maps and the time span. REMEMBER notes what
// cfc_update_back needs as LOCAL.
//: uses A GATED MAPS REMEMBER j span sum w_tau, writes fresh, makes decay first gate second
#if MAPS > 1
const real first = tanh_lane(sum[0]);
const real second = tanh_lane(sum[1]);
const real gate = sigmoid(MAPS == 4 ? sum[2] * span + sum[MAPS - 1] : sum[2]);
fresh[j] = first * (1.0f - GATED * gate) + gate * second;
REMEMBER(0, first)
REMEMBER(1, second)
REMEMBER(2, gate)
if (MAPS == 4) { REMEMBER(3, sum[2]) }
#else
const real decay = exp2_lane((w_tau[j] + absolute(sum[0])) * span * -LOG2E);
fresh[j] = A[j] - A[j] * decay * sum[0];
REMEMBER(0, sum[0])
REMEMBER(1, decay)
#endif
