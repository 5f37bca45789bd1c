// One row in plain C99, for exported networks.
typedef float real;

#define FUNCTION static inline
#define EACH(i, count) for (int i = 0; i < (count); i++)
#define EACH_IN(i, first, end) for (int i = (first); i < (end); i++)
#define EACH_ANY EACH
#define EACH_SPLIT EACH
#define EACH_BY(count, first, start, end) for (int first = (start); first < (end); first += (count))
#define PARTS 1
#define PART 0
#define JOINED(value) (+(value))
#define INVERSE(value) (1.0f / (value))
#define BARRIER
#define FETCH(to, from, row) EACH(i, from##_width) (to)[i] = from[(row) * from##_width + i]
#define STORE(to, row, from) EACH(i, to##_width) to[(row) * to##_width + i] = (from)[i]
#define VALUE(from, row) from[row]
#define SOME(test) (test)
#define SAVE(name, row, i, value)  // there is no backward pass
#define TILE 4
#define SIDE 4
#define TOGETHER (TEAM / 4)

FUNCTION real splat(float value) { return value; }
FUNCTION real choose(int test, real yes, real no) { return test ? yes : no; }

// 2^z: the nearest whole number goes into the exponent, the rest through a polynomial good to 1 part in 10^7.
FUNCTION real exp2_lane(real z) {
    union { float value; int32_t bits; } power;
    if (z != z) return z;
    z = z < -126.0f ? -126.0f : z > 126.0f ? 126.0f : z;
    const int n = (int)(z < 0.0f ? z - 0.5f : z + 0.5f);
    const float f = z - (float)n;
    power.bits = (n + 127) << 23;
    float p = f * 1.3333558e-3f + 9.6181291e-3f;
    p = p * f + 5.5504109e-2f;
    p = p * f + 2.4022651e-1f;
    p = p * f + 6.9314718e-1f;
    p = p * f + 1.0f;
    return p * power.value;
}
