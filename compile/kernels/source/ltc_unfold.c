// ltc_unfold: one solver step, from the states v[now...] to v[next...].
EACH(j, N) {
    real num = cm[j] * rate * v[now + j] + drive[j];
    real den = load[j];
    for (int k = ptr[j]; k < ptr[j + 1]; k++) {
        const real s = sigmoid2(slope[k] * v[now + pre[k]] + shift[k]);
        num += push[k] * s;
        den += w[k] * s;
    }
    const real fraction = 1.0f / den;
    v[next + j] = num * fraction;
    REMEMBER(fraction)
}
BARRIER
