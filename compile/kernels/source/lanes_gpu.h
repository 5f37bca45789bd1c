// A lane on a GPU: one row of the batch. A block of THREADS threads computes one row. PARTS neighbouring threads
// have a neuron in common: each goes over a part of its synapses (EACH_SPLIT, EACH_BY), JOINED adds up what they
// found, and the first of them, whose PART is 0, does what is done once (EACH, EACH_IN). So the same thread always
// has the same neuron, and the same synapses of it, and a BARRIER is only needed where one reads what another wrote.
// EACH_ANY is for what every thread may do.
typedef float real;
typedef float over_rows;

#define UNITS (THREADS / PARTS)
#define UNIT (me / PARTS)
#define PART (me % PARTS)
#define FROM_UNIT(i, first, end) int i = (first) + (UNIT + UNITS - (first) % UNITS) % UNITS; i < (end); i += UNITS
#define EACH(i, count) for (int i = PART ? (count) : UNIT; i < (count); i += UNITS)
#define EACH_IN(i, first, end) if (PART == 0) for (FROM_UNIT(i, first, end))
#define EACH_ANY(i, count) for (int i = me; i < (count); i += THREADS)
#define EACH_SPLIT(i, count) for (int i = UNIT; i < (count); i += UNITS)
#define EACH_SYNAPSE(k, ptr) EACH_SPLIT(j_, N) for (int k = ptr[j_] + PART; k < ptr[j_ + 1]; k += PARTS)
#define EACH_BY(count, first, start, end) for (FROM_UNIT(first, start, end))
#define ONCE
#define FETCH(to, from, row) EACH(i, from##_width) (to)[i] = from[(block * from##_rows + (row)) * from##_width + i]
#define STORE(to, row, from) EACH(i, to##_width) to[(block * to##_rows + (row)) * to##_width + i] = (from)[i]
#define CLEAR(to, row) EACH(i, to##_width) to[(block * to##_rows + (row)) * to##_width + i] = 0.0f
#define VALUE(from, row) from[block * from##_rows + (row)]
#define SOON(from, index, k, count)
#define SOON_FOUR(sums, index, k, count)
#define SOME(test) (test)  // a block is one row
#define TOTAL(value) (value)
#define NO_FOUR 0.0f
#define ADD_FOUR(sums, k, a, b, c, d) \
    sums[4 * (k)] += a; \
    sums[4 * (k) + 1] += b; \
    sums[4 * (k) + 2] += c; \
    sums[4 * (k) + 3] += d;
#define TOTAL_SUM(value) (value)
#define TOTALS(found, sum, m) const float found[] = {sum[0][m]};
#define NO_SUM(sums, i) (sums)[i] = 0.0f;
#define ADD_SUM(sums, i, value) (sums)[i] += value;
#define SUM_TOTAL(sums, i) (sums)[i]
#define SAVED(name, row, i) name[(block * name##_rows + (row)) * name##_width + (i)]
#define SAVE(name, row, i, value) if (SAVING) SAVED(name, row, i) = value;

// Threads do the cutting: see lanes_cpu.h.
#define SIDE 1
#define TOGETHER 1

FUNCTION real splat(float value) { return value; }
FUNCTION real choose(bool test, real yes, real no) { return test ? yes : no; }
FUNCTION real exp2_lane(real z) { return exp2(z); }

#define JOINED(value) joined(value, me)
FUNCTION real joined(real value, int me) {
    for (int distance = PARTS / 2; distance > 0; distance /= 2) value += NEIGHBOUR(value, distance);
    return value;
}

// Products of matrices: see products.h. Who has a sum has it alone.
#define ADD_PRODUCTS(to, count, from, width, weights, across, along) \
    EACH_SPLIT(o_, count) { \
        real sum_ = splat(0.0f); \
        for (int i_ = PART; i_ < (width); i_ += PARTS) { \
            sum_ += (weights)[(int64_t)o_ * (across) + (int64_t)i_ * (along)] * (from)[i_]; \
        } \
        sum_ = JOINED(sum_); \
        if (PART == 0) (to)[o_] += sum_; \
    }
#define ADD_OUTER(to, across, left, left_step, count, right, right_step, width, steps) \
    for (int o_ = UNIT; o_ < (count); o_ += UNITS) { \
        for (int i_ = PART; i_ < (width); i_ += PARTS) { \
            real sum_ = splat(0.0f); \
            for (int c_ = 0; c_ < (steps); c_++) sum_ += (left)[c_ * (left_step) + o_] * (right)[c_ * (right_step) + i_]; \
            (to)[(int64_t)o_ * (across) + i_] += sum_; \
        } \
    }
