// memory_open_back: what happens to a row, on the way back through an LSTM's cells.
//: uses N event, writes g_memory passed_memory
EACH(j, N) {
    passed_memory[j] = g_memory[j];
    g_memory[j] = choose(event == 0.0f, g_memory[j], splat(0.0f));
}
