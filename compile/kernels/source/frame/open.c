// open: begins a time step forward. Where no row of a block has a sample, nothing is computed.
//: uses BACK EVENTS KEEP N STATE T events first_memory kept kept_memory outputs showing step, writes before cells event here
if (step % KEEP == 0) STORE(kept, step / KEEP, STATE);
#include "memory_open.c"
#include "enter.c"
if (EVENTS) {
    if (!SOME(event >= 0.0f)) {
        STORE(outputs, here, showing);
        continue;
    }
    EACH(j, N) before[j] = STATE[j];
}
