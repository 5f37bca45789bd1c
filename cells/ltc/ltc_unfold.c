// ltc_unfold: one solver step, from the states v[now...] to v[next...].
//: uses COUPLED E N REMEMBER cm drive gap link_pre link_ptr load next now pre ptr push rate shift slope w, writes v
EACH_SPLIT(j, N) {
    real num = PART ? splat(0.0f) : cm[j] * rate * v[now + j] + drive[j];
    real den = PART ? splat(0.0f) : load[j];
    for (int k = ptr[j] + PART; k < ptr[j + 1]; k += PARTS) {
        SOON(v + now, pre, k, E)
        const real s = sigmoid2(slope[k] * v[now + pre[k]] + shift[k]);
        num += push[k] * s;
        den += w[k] * s;
    }
    #if COUPLED
    for (int k = link_ptr[j] + PART; k < link_ptr[j + 1]; k += PARTS) num += gap[k] * v[now + link_pre[k]];
    #endif
    num = JOINED(num);
    den = JOINED(den);
    if (PART == 0) {
        const real fraction = INVERSE(den);
        v[next + j] = num * fraction;
        REMEMBER(fraction)
    }
}
BARRIER
