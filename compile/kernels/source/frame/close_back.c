// close_back: ends a time step backward: g is the gradient of the state before it.
//: uses EVENTS GATES I N SAMPLE SAVING SEEN event memories memory_h_w memory_x_w passed passed_memory t, writes SAMPLE_BACK d_gates d_memory_b d_memory_h_w d_memory_x_w d_seen filled g g_memory gates passing seen_memory
#include "memory_back.c"
if (EVENTS) EACH(j, N) g[j] = choose(event < 0.0f, passed[j], g[j]);
