// memory_backward: behind the backward kernel of a cell, for one whose state passes through an LSTM.
//
//: numbers  FORGET
//: values   memory_x_w[4*N*I] memory_h_w[4*N*N] memory_b[4*N]
//: rows     kept_memory[(T+KEEP-1)/KEEP][N] d_last_memory[1][N]
//: saved    memories[SAVING*T][7*N]
//: results  d_first_memory[1][N]
//: totals   d_memory_x_w[4*N*I] d_memory_h_w[4*N*N] d_memory_b[4*N]
//: scratch  cells[N] gates[4*N] passing[7*N] g_memory[N] passed_memory[N] d_seen[I+N]
//: work     memory_path[(KEEP+1)*N] seen_memory[32*((I+N)|1)] d_gates[32*(4*N|1)]
#include "memory_weights.c"
STORE(d_first_memory, 0, g_memory);
