// enter: where the sample of time step `step` lies, and what happens to the row there: `event` is below zero where
// there is no sample, and above it where the state starts anew behind this one.
//: uses BACK EVENTS T events step, writes event here
here = BACK ? T - 1 - step : step;
if (EVENTS) event = VALUE(events, here);
