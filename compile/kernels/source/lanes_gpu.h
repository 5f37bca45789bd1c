// A lane on a GPU: one row of the batch. A block of THREADS threads computes one row, and thread number `me`
// does the neurons me, me + THREADS, ...; so the same thread always has the same neuron, and a BARRIER is
// only needed where a neuron reads what another one wrote.
typedef float real;

#define EACH(i, count) for (int i = me; i < (count); i += THREADS)
#define EACH_IN(i, first, end) \
    for (int i = (first) + (me - (first) % THREADS + THREADS) % THREADS; i < (end); i += THREADS)
#define EACH_STRIDE(i, count, stride) EACH(i, count)
#define FETCH(to, from, row) EACH(i, from##_width) (to)[i] = from[(block * from##_rows + (row)) * from##_width + i]
#define STORE(to, row, from) EACH(i, to##_width) to[(block * to##_rows + (row)) * to##_width + i] = (from)[i]
#define TOTAL(value) (value)
#define TOTALS(found, sum, m) const float found[] = {sum[0][m]};
#define SAVED(name, row, i) name[(block * name##_rows + (row)) * name##_width + (i)]
#define SAVE(name, row, i, value) if (SAVING) SAVED(name, row, i) = value;

// Threads do the cutting: see lanes_cpu.h.
#define TILE 1
#define SIDE 1
#define TOGETHER 1
#define EACH_BY(count, first, start, end) EACH_IN(first, start, end)

FUNCTION real splat(float value) { return value; }
FUNCTION real choose(bool test, real yes, real no) { return test ? yes : no; }
FUNCTION real exp2_lane(real z) { return exp2(z); }
