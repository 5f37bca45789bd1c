// Runs a CUDA kernel on the CPU: the threads of a block are threads, blocks run one after the other.
#include <pthread.h>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

struct Place { unsigned x, y, z; };
static thread_local Place threadIdx, blockIdx;
static pthread_barrier_t everyone;

#define __launch_bounds__(threads)
#define __device__
#define __shared__ static  // one block at a time: what its threads share may be static
#define __restrict
static inline void __syncthreads() { pthread_barrier_wait(&everyone); }
static inline float __fdividef(float a, float b) { return a / b; }

// Neighbouring threads exchange values: each group of them has a barrier of its own.
static unsigned group_size;
static std::vector<pthread_barrier_t> groups;
static std::vector<float> exchanged;
static inline float __shfl_xor_sync(unsigned mask, float value, int distance) {
    if (__builtin_popcount(mask) != (int)group_size || !(mask >> threadIdx.x % 32 & 1)) abort();
    exchanged[threadIdx.x] = value;
    pthread_barrier_wait(&groups[threadIdx.x / group_size]);
    const float found = exchanged[threadIdx.x ^ distance];
    pthread_barrier_wait(&groups[threadIdx.x / group_size]);
    return found;
}

static void launch(unsigned blocks, unsigned threads, unsigned parts, const std::function<void()> &kernel) {
    pthread_barrier_init(&everyone, nullptr, threads);
    group_size = parts;
    groups.resize(threads / parts);
    exchanged.resize(threads);
    for (auto &group : groups) pthread_barrier_init(&group, nullptr, parts);
    std::vector<std::thread> running;
    for (unsigned t = 0; t < threads; t++) {
        running.emplace_back([=, &kernel] {
            threadIdx.x = t;
            for (unsigned b = 0; b < blocks; b++) {
                blockIdx.x = b;
                kernel();
                __syncthreads();
            }
        });
    }
    for (auto &thread : running) thread.join();
    for (auto &group : groups) pthread_barrier_destroy(&group);
    pthread_barrier_destroy(&everyone);
}
