// close: ends a time step forward. Without a sample, a row keeps its state and what it showed last.
//: uses EVENTS M N SHOW before event here memories outputs passing step, writes STATE cells showing shown
EACH(j, M) shown[j] = SHOW(j);
if (EVENTS && SOME(event != 0.0f)) {
    EACH(j, M) shown[j] = choose(event < 0.0f, showing[j], shown[j]);
    EACH(j, N) STATE[j] = choose(event < 0.0f, before[j], choose(event > 0.0f, splat(0.0f), STATE[j]));
}
if (EVENTS) EACH(j, M) showing[j] = shown[j];
#include "memory_close.c"
STORE(outputs, here, shown);
