// dense_maps: the maps behind the backbone: READ is where what they read begins, SUMS where their sums do. EVERY_MAP says
// of each its number, weights and biases, and their gradients. With MAPS = 3 the gate's two maps are added up first.
//: uses MAPS W d_ff1_b d_ff1_w d_ff2_b d_ff2_w d_time_a_b d_time_a_w d_time_b_b d_time_b_w ff1_b ff1_w ff2_b ff2_w time_a_b time_a_w time_b_b time_b_w, writes gate_b gate_w
#define READ (LAYERS ? I + N + (LAYERS - 1) * H : 0)
#define SUMS (I + N + LAYERS * H)
#define FIRST_MAP(DO) DO(0, ff1_w, ff1_b, d_ff1_w, d_ff1_b)
#define SIGNAL_MAPS(DO) FIRST_MAP(DO) DO(1, ff2_w, ff2_b, d_ff2_w, d_ff2_b)
#if MAPS == 1
#define EVERY_MAP(DO) FIRST_MAP(DO)
#elif MAPS == 3
#define EVERY_MAP(DO) SIGNAL_MAPS(DO) DO(2, gate_w, gate_b, d_time_a_w, d_time_a_b)
EACH_ANY(i, N * W) gate_w[i] = time_a_w[i] + time_b_w[i];
EACH_ANY(j, N) gate_b[j] = time_a_b[j] + time_b_b[j];
BARRIER
#else
#define TIME_MAPS(DO) DO(2, time_a_w, time_a_b, d_time_a_w, d_time_a_b) DO(3, time_b_w, time_b_b, d_time_b_w, d_time_b_b)
#define EVERY_MAP(DO) SIGNAL_MAPS(DO) TIME_MAPS(DO)
#endif
