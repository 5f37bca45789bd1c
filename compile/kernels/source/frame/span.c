// span: the time span of the sample at `here`.
//: uses EVENTS event here timespans, writes span
span = VALUE(timespans, here);
if (EVENTS) span = choose(event < 0.0f, splat(1.0f), span);
