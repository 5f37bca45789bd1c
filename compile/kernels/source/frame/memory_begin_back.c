// memory_begin_back: begins the backward pass of an LSTM: `filled` time steps wait for the gradients of its weights.
//: uses I N d_last_memory, writes d_memory_b d_memory_w g_memory, makes filled
int filled = 0;
FETCH(g_memory, d_last_memory, 0);
EACH_ANY(i, 4 * N * (I + N)) d_memory_w[i] = 0.0f;
EACH_ANY(i, 4 * N) d_memory_b[i] = 0.0f;
