// The words of lanes_cpu.h for a crew: thread `place.me` of `place.size` has every so manieth share of neighbouring
// neurons, always the same ones, as the threads of a GPU do. Where there are neurons enough, shares are long: a processor
// reads ahead what lies behind, which would be another thread's, and twice as much came from memory. And there are many
// of them, as neighbours may have more synapses than others.
#include <sched.h>
#include <chrono>

struct Place {
    int me, size, share;
    real *memory;
};
enum { SHARE_LEAST = 32, SHARE_MOST = 1024, SHARES_EACH = 32 };

static inline void pause(unsigned turn) {
    if (turn % 64 == 0) sched_yield();
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

static int share_of(int neurons, int size) {
    int share = SHARE_LEAST;
    while (share < SHARE_MOST && 2 * share * SHARES_EACH * size <= neurons) share *= 2;
    return share;
}

// The first thread brings the memory, and begins with those that are there.
static Place join(Crew &crew, size_t lanes, int neurons) {
    int joined = __atomic_load_n(&crew.state, __ATOMIC_ACQUIRE);
    do {
        if (joined & CREW_IS_ALL) return {-1, 0, 0, nullptr};
    } while (!__atomic_compare_exchange_n(&crew.state, &joined, joined + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    if (joined == 0) {
        crew.memory = workspace.reserve(lanes);
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
        for (unsigned turn = 1; __atomic_load_n(&crew.state, __ATOMIC_ACQUIRE) < crew.wanted; turn++) {
            pause(turn);
            if (turn % 64 == 0 && std::chrono::steady_clock::now() > end) break;
        }
        __atomic_fetch_or(&crew.state, CREW_IS_ALL, __ATOMIC_ACQ_REL);
    }
    for (unsigned turn = 1; !(__atomic_load_n(&crew.state, __ATOMIC_ACQUIRE) & CREW_IS_ALL); turn++) pause(turn);
    const int size = crew.state & (CREW_IS_ALL - 1);
    return {joined, size, share_of(neurons, size), (real *)crew.memory};
}

static void meet(Crew &crew, int size) {
    if (size < 2) return;
    const int phase = __atomic_load_n(&crew.phase, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&crew.waiting, 1, __ATOMIC_ACQ_REL) == size) {
        __atomic_store_n(&crew.waiting, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&crew.phase, phase + 1, __ATOMIC_RELEASE);
        return;
    }
    for (unsigned turn = 1; __atomic_load_n(&crew.phase, __ATOMIC_ACQUIRE) == phase; turn++) pause(turn);
}

#undef EACH
#undef EACH_ANY
#undef EACH_SPLIT
#undef EACH_IN
#undef EACH_BY
#undef EACH_SYNAPSE
#undef BARRIER
#undef FETCH
#undef STORE
#undef CLEAR
#undef SOON
#undef SOON_FOUR
#undef NO_FOUR
#undef ADD_FOUR
#undef TOTAL_SUM
#define SHARES(first, count) \
    for (int64_t first = place.me * place.share; first < (count); first += place.size * place.share)
#define LEAST(a, b) ((a) < (b) ? (a) : (b))
#define EACH_IN(i, start, end) \
    SHARES(share_##i, end) \
        for (int i = share_##i < (start) ? (start) : share_##i, end_##i = LEAST(end, share_##i + place.share); \
             i < end_##i; i++)
#define EACH(i, count) EACH_IN(i, 0, count)
#define EACH_ANY EACH
#define EACH_SPLIT EACH
#define EACH_SYNAPSE(k, ptr) \
    SHARES(share_, N) for (int k = ptr[share_], end_ = ptr[LEAST(N, share_ + place.share)]; k < end_; k++)
#define BARRIER meet(crew, place.size);
#define FETCH(to, from, row) \
    SHARES(share, from##_width) fetch(to, from, from##_rows, from##_width, row, block, share, share + place.share)
#define STORE(to, row, from) \
    SHARES(share, to##_width) store(to, to##_rows, to##_width, row, from, block, share, share + place.share)
// States of a large circuit are in no cache near by, and lie anywhere in it: so many synapses take as long as memory does.
#define AHEAD 96
#define SOON(from, index, k, count) if ((k) + AHEAD < (count)) __builtin_prefetch((from) + (index)[(k) + AHEAD]);
#define SOON_FOUR(sums, index, k, count) \
    if ((k) + AHEAD < (count)) __builtin_prefetch((sums) + 4 * (int64_t)(index)[(k) + AHEAD]);
#define CLEAR(to, row) if (place.me == 0) clear(to, to##_rows, to##_width, row, block)
// Lanes of so many synapses are in no cache, and to read and write them would take longer than to add them up.
#define NO_FOUR 0.0f
#define ADD_FOUR(sums, k, a, b, c, d) add_four(sums + 4 * (int64_t)(k), totals(a, b, c, d, block));
#define TOTAL_SUM(value) (value)
static inline void add_four(float *sums, Four more) {
    Four sum;
    memcpy(&sum, sums, sizeof(Four));
    sum += more;
    memcpy(sums, &sum, sizeof(Four));
}
