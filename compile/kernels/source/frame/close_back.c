// close_back: ends a time step backward: g is the gradient of the state before it.
//: uses EVENTS N event passed, writes g
if (EVENTS) EACH(j, N) g[j] = choose(event < 0.0f, passed[j], g[j]);
