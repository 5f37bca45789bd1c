// sample: the sample and its time span. What stands where there is none is never read.
//: uses EVENTS I event here timespans x, writes SAMPLE span
FETCH(SAMPLE, x, here);
if (EVENTS) EACH(i, I) SAMPLE[i] = choose(event < 0.0f, splat(0.0f), SAMPLE[i]);
#include "span.c"
BARRIER
