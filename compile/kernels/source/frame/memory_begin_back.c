// memory_begin_back: begins the backward pass of an LSTM: `filled` time steps wait for the gradients of its weights.
//: uses d_last_memory, writes d_memory_b d_memory_h_w d_memory_x_w g_memory, makes filled
#define SEEN ((I + N) | 1)  // how far apart time steps lie: odd, so that they spread over the cache
#define GATES (4 * N | 1)
int filled = 0;
FETCH(g_memory, d_last_memory, 0);
EACH_ANY(i, 4 * N * I) d_memory_x_w[i] = 0.0f;
EACH_ANY(i, 4 * N * N) d_memory_h_w[i] = 0.0f;
EACH_ANY(i, 4 * N) d_memory_b[i] = 0.0f;
