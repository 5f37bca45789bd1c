// The threads that share the blocks of a kernel with the thread that calls it. They watch for the next call for a
// while before they sleep: waking one takes longer than a small kernel runs. A call never waits for a thread that has
// not begun, and one that finds the threads busy with another call runs alone.
#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#endif
#include <stdint.h>
#include <unistd.h>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

typedef int (*KernelFunction)(const int64_t *, const float *, void *const *, int64_t, int64_t *);

struct Task {
    KernelFunction function;
    const int64_t *sizes;
    const float *numbers;
    void *const *arrays;
    int64_t batch;
    int64_t next;  // the block that nobody has taken yet
    int run() { return function(sizes, numbers, arrays, batch, &next); }
};

struct Pool {
    static constexpr uint64_t OPEN = 1 << 16, NUMBER = 1 << 17;  // below OPEN: how many threads are at work
    static constexpr unsigned TURNS = 64;
    std::atomic<uint64_t> state{0};  // a task's number, whether threads may join it, and how many did
    std::atomic<int> failed{0}, asleep{0}, seats{0};
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
    std::mutex mutex;
    std::condition_variable wake;
    Task *task = nullptr;
    int threads = 0;
    std::vector<std::thread::native_handle_type> handles;
    int avoided = -1;  // the processor that no helper may use
    pid_t process = getpid();

    int together(Task &given, int helpers) {
        if (helpers < 1 || busy.test_and_set(std::memory_order_acquire)) return given.run();
        helpers = start(helpers);
        spread();
        task = &given;
        failed = 0;
        seats = helpers;
        state += NUMBER + OPEN;
        // No more than there are seats for: the others would only watch, and keep those from a processor that work.
        if (int missing = helpers - (threads - asleep); missing > 0) {
            std::lock_guard<std::mutex> guard(mutex);
            while (missing--) wake.notify_one();
        }
        const int own = given.run();
        state -= OPEN;
        for (unsigned turn = 1; state % OPEN; turn++) pause(turn);
        const int sum = own + failed;
        busy.clear(std::memory_order_release);
        return sum;
    }

    // Of so many threads, those that there are. The system may refuse some; without them a call only takes longer.
    int start(int wanted) {
        try {
            for (; threads < wanted; threads++) {
                handles.reserve(wanted);
                std::thread helper([this] { work(); });
                handles.push_back(helper.native_handle());
                helper.detach();
                avoided = -1;
            }
        } catch (const std::exception &) {
            return threads;
        }
        return wanted;
    }

    // Keep helpers off the caller's processor: Linux may leave one waiting behind the thread that woke it for milliseconds,
    // while another processor idles.
    void spread() {
#ifdef __linux__
        const int here = sched_getcpu();
        cpu_set_t allowed;
        if (here < 0 || here == avoided || sched_getaffinity(0, sizeof allowed, &allowed)) return;
        CPU_CLR(here, &allowed);
        if (CPU_COUNT(&allowed) == 0) return;
        for (auto helper : handles) pthread_setaffinity_np(helper, sizeof allowed, &allowed);
        avoided = here;
#endif
    }

    void work() {
        for (uint64_t last = 0;;) {
            uint64_t now = watch(last);
            last = now / NUMBER;
            while (now & OPEN && now / NUMBER == last) {
                if (!state.compare_exchange_weak(now, now + 1)) continue;
                if (seats.fetch_sub(1) > 0) failed += task->run();
                state -= 1;
                break;
            }
        }
    }

    // Wait for a task with another number than the last one that this thread saw.
    uint64_t watch(uint64_t last) {
        const auto fresh = [&] { return state / NUMBER != last; };
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(500);
        for (unsigned turn = 1; !fresh(); turn++) {
            pause(turn);
            if (turn % TURNS || std::chrono::steady_clock::now() < end) continue;
            std::unique_lock<std::mutex> guard(mutex);
            asleep++;
            wake.wait(guard, fresh);
            asleep--;
        }
        return state;
    }

    // Some threads may have no processor, least of all where others wait for them: leave it to them now and then.
    static void pause(unsigned turn) {
        if (turn % TURNS == 0) std::this_thread::yield();
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }
};

extern "C" int run_together(KernelFunction function, const int64_t *sizes, const float *numbers, void *const *arrays,
                            int64_t batch, int helpers) {
    static std::atomic<Pool *> shared{new Pool};  // never destroyed: its threads run until the process ends
    Pool *pool = shared;
    if (pool->process != getpid()) {  // after a fork the threads are gone, and whatever they held with them
        Pool *fresh = new Pool;
        if (shared.compare_exchange_strong(pool, fresh)) pool = fresh;
        else delete fresh;  // another thread was quicker, and `pool` is its own
    }
    Task task = {function, sizes, numbers, arrays, batch, 0};
    return pool->together(task, helpers);
}
