// The words of lanes_cpu.h for two blocks at once: what all rows share is loaded once for both. Each block computes what
// it would alone, and its memory in arrays of the call lies as if it were alone, so that nobody else has to know.
typedef real Half;
typedef whole HalfTest;

struct Test {
    HalfTest a, b;
};

struct Two {
    Half a, b;
    float &operator[](int lane) { return ((float *)this)[lane]; }
};

// Inlined before anything else, so that a product and a sum become one instruction as they do in vectors.
#undef FUNCTION
#define FUNCTION static inline __attribute__((always_inline))
#define FOR_TWO(type, of) \
    FUNCTION type operator of(Two x, Two y) { return {x.a of y.a, x.b of y.b}; } \
    FUNCTION type operator of(Two x, float y) { return {x.a of y, x.b of y}; } \
    FUNCTION type operator of(float x, Two y) { return {x of y.a, x of y.b}; }
FOR_TWO(Two, +)
FOR_TWO(Two, -)
FOR_TWO(Two, *)
FOR_TWO(Two, /)
FOR_TWO(Test, <)
FOR_TWO(Test, >)
FOR_TWO(Test, <=)
FOR_TWO(Test, >=)
FOR_TWO(Test, ==)
FOR_TWO(Test, !=)
FUNCTION Two operator+(Two x) { return x; }
FUNCTION Two operator-(Two x) { return {-x.a, -x.b}; }
FUNCTION Two &operator+=(Two &x, Two y) { return x = x + y; }
FUNCTION Two exp2_lane(Two z) { return {exp2_lane(z.a), exp2_lane(z.b)}; }
#ifdef SIGMOID2
FUNCTION Two sigmoid2(Two z) { return {sigmoid2(z.a), sigmoid2(z.b)}; }
#endif
FUNCTION Two choose(Test test, Two yes, Two no) {
    return {choose(test.a, yes.a, no.a), choose(test.b, yes.b, no.b)};
}
FUNCTION int some(Test test) { return some(test.a) | some(test.b); }
FUNCTION Two both(float value) { return {splat(value), splat(value)}; }

// The second of them may have no row: it repeats the last one, and has no memory.
struct Blocks {
    Block a, b;
};

static inline Blocks take_blocks(int64_t *next, int64_t batch) {
    const int64_t index = __atomic_fetch_add(next, 2, __ATOMIC_RELAXED);
    return {block_at(index, batch), block_at(index + 1, batch)};
}

// Rows `row` of an array (batch, rows, width), as lanes_cpu.h has them: the lanes of one block, then those of the other.
static inline void fetch(Two *to, const float *from, int64_t rows, int64_t width, int64_t row, const Blocks &block) {
    for (int lane = 0; lane < 2 * LANES; lane++) {
        const Block &one = lane < LANES ? block.a : block.b;
        const int own = lane % LANES;
        const float *source = from + ((one.first + (own < one.count ? own : one.count - 1)) * rows + row) * width;
        for (int64_t i = 0; i < width; i++) to[i][lane] = source[i];
    }
}

static inline void store(float *to, int64_t rows, int64_t width, int64_t row, Two *from, const Blocks &block) {
    for (int lane = 0; lane < 2 * LANES; lane++) {
        const Block &one = lane < LANES ? block.a : block.b;
        const int own = lane % LANES;
        float *target = to + ((one.first + own) * rows + row) * width;
        if (own < one.count) for (int64_t i = 0; i < width; i++) target[i] = from[i][lane];
    }
}

static inline void clear(float *to, int64_t rows, int64_t width, int64_t row, const Blocks &block) {
    clear(to, rows, width, row, block.a);
    clear(to, rows, width, row, block.b);
}

static inline Two value_of(const float *from, int64_t rows, int64_t row, const Blocks &block) {
    return {value_of(from, rows, row, block.a), value_of(from, rows, row, block.b)};
}

// What lies as lanes in an array of the call; the block without rows reads what the other one has.
FUNCTION Two saved(const Half *from, int64_t rows, int64_t width, int64_t row, int64_t i, const Blocks &block) {
    const Half *const first = from + (block.a.index * rows + row) * width + i;
    return {first[0], first[block.b.count > 0 ? rows * width : 0]};
}

FUNCTION void save(Half *to, int64_t rows, int64_t width, int64_t row, int64_t i, Two value, const Blocks &block) {
    Half *const first = to + (block.a.index * rows + row) * width + i;
    first[0] = value.a;
    if (block.b.count > 0) first[rows * width] = value.b;
}

// Numbers that each block has for all of its rows.
struct Numbers {
    float a, b;
};
#define FOR_NUMBERS(of) \
    FUNCTION Numbers operator of(Numbers x, Numbers y) { return {x.a of y.a, x.b of y.b}; } \
    FUNCTION Numbers operator of(Numbers x, float y) { return {x.a of y, x.b of y}; } \
    FUNCTION Numbers operator of(float x, Numbers y) { return {x of y.a, x of y.b}; }
FOR_NUMBERS(+)
FOR_NUMBERS(-)
FOR_NUMBERS(*)
FUNCTION Numbers total(Two value, const Blocks &block) { return {total(value.a, block.a), total(value.b, block.b)}; }

struct Fours {
    Four a, b;
};
FUNCTION Numbers total(Fours sum) { return {total(sum.a), total(sum.b)}; }
FUNCTION void add(Fours &sum, Two value, const Blocks &block) {
    sum.a += by_fours(value.a, block.a);
    sum.b += by_fours(value.b, block.b);
}

struct Totals {
    float *a, *b;
    struct Place {
        float *a, *b;
        void operator=(Numbers x) { *a = x.a, *b = x.b; }
        void operator=(float x) { *a = *b = x; }
        void operator+=(Numbers x) { *a += x.a, *b += x.b; }
    };
    Place operator[](int64_t i) const { return {a + i, b + i}; }
};

#undef NO_SUM
#undef ADD_SUM
#undef SUM_TOTAL
#undef SAVED
#undef SAVE
#define NO_SUM(sums, i) ((Fours *)(sums))[i] = Fours{};
#define ADD_SUM(sums, i, value) add(((Fours *)(sums))[i], value, block);
#define SUM_TOTAL(sums, i) total(((Fours *)(sums))[i])
#define SAVED(name, row, i) saved(name, name##_rows, name##_width, row, i, block)
#define SAVE(name, row, i, value) if (SAVING) save(name, name##_rows, name##_width, row, i, value, block);
#define real Two
#define whole Test
#define splat both
#define over_rows Numbers
