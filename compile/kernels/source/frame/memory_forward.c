// memory_forward: behind the forward kernel of a cell, for one whose state passes through an LSTM.
//
//: numbers  FORGET
//: values   memory_x_w[4*N*I] memory_h_w[4*N*N] memory_b[4*N]
//: rows     first_memory[1][N]
//: results  last_memory[1][N] kept_memory[(T+KEEP-1)/KEEP][N]
//: saves    memories[SAVING*T][7*N]
//: scratch  cells[N] gates[4*N] passing[7*N]
STORE(last_memory, 0, cells);
