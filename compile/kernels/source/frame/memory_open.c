// memory_open: begins a time step forward of an LSTM's cells.
//: uses KEEP first_memory kept_memory step, writes cells
if (step == 0) FETCH(cells, first_memory, 0);
if (step % KEEP == 0) STORE(kept_memory, step / KEEP, cells);
