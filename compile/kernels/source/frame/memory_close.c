// memory_close: ends it, and saves for the backward pass what it needs.
//: uses N event memories passing step, writes cells
EACH(j, N) {
    for (int m = 0; m < 7; m++) { SAVE(memories, step, m * N + j, passing[m * N + j]) }
    cells[j] = choose(event < 0.0f, passing[N + j], choose(event > 0.0f, splat(0.0f), cells[j]));
}
