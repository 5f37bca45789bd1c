// Functions of a lane that every target shares; exp2_lane is each target's own.
#define LOG2E 1.44269504f

static inline real sigmoid2(real z) { return 1.0f / (1.0f + exp2_lane(z)); }  // sigmoid(-z / log2(e))
static inline real sigmoid(real x) { return sigmoid2(x * -LOG2E); }
static inline real tanh_lane(real x) { return 1.0f - 2.0f * sigmoid2(x * (2.0f * LOG2E)); }
static inline real absolute(real x) { return choose(x < 0.0f, -x, x); }

// The array of map m.
#define MAP(m, first, second, third, fourth) ((m) == 0 ? first : (m) == 1 ? second : (m) == 2 ? third : fourth)
