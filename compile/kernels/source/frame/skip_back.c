// skip_back: a time step backward at which no row of a block has a sample.
//: uses M d_outputs here, writes d_timespans d_x owed shown
FETCH(shown, d_outputs, here);
EACH(j, M) owed[j] += shown[j];
CLEAR(d_x, here);
CLEAR(d_timespans, here);
