// Threads that share the neurons of one block, in place of blocks: as many as come within a millisecond. What each of
// them computes does not depend on how many there are.
#include <stdint.h>

struct Crew {
    int64_t wanted, first;  // how many threads there may be; the first block
    int state, waiting, phase;  // how many joined, and whether that is all; at a barrier; barriers that were passed
    void *memory;
};
enum { CREW_IS_ALL = 1 << 20, CREW_BLOCKS = 4 };
