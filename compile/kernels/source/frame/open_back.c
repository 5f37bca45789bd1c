// open_back: begins a time step backward: from g, the gradient of the state behind it, and what is shown, to that of the
// state that the step gave. A row without a sample passes g on and owes what it showed to the sample that it is of.
//: uses EVENTS M N SHOW_BACK d_outputs event here, writes g g_memory owed passed passed_memory shown
FETCH(shown, d_outputs, here);
if (EVENTS) {
    EACH(j, M) {
        owed[j] += shown[j];
        shown[j] = choose(event < 0.0f, splat(0.0f), owed[j]);
        owed[j] = choose(event < 0.0f, owed[j], splat(0.0f));
    }
    EACH(j, N) {
        passed[j] = g[j];
        g[j] = choose(event == 0.0f, g[j], splat(0.0f));
    }
}
#include "memory_open_back.c"
EACH(j, M) { SHOW_BACK(j) }
