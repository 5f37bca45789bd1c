// memory_again: the LSTM of a time step that is computed again, from the cells that `memory_path` has.
//: uses FORGET I N SAMPLE SAVING event memory_b memory_h_w memory_x_w start step, writes STATE cells gates memory_path passing
if (!SAVING) {
    EACH(j, N) cells[j] = memory_path[(step - start) * N + j];
    BARRIER
    #include "memory.c"
    EACH(j, N) {
        memory_path[(step + 1 - start) * N + j] =
            choose(event < 0.0f, passing[N + j], choose(event > 0.0f, splat(0.0f), cells[j]));
    }
}
