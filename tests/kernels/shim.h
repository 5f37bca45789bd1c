// Runs a CUDA kernel on the CPU: the threads of a block are threads, blocks run one after the other.
#include <pthread.h>
#include <cmath>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

struct Place { unsigned x, y, z; };
static thread_local Place threadIdx, blockIdx;
static pthread_barrier_t everyone;

#define __global__
#define __device__
#define __shared__ static  // one block at a time: what its threads share may be static
#define __restrict
static inline void __syncthreads() { pthread_barrier_wait(&everyone); }

static void launch(unsigned blocks, unsigned threads, const std::function<void()> &kernel) {
    pthread_barrier_init(&everyone, nullptr, threads);
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
    pthread_barrier_destroy(&everyone);
}
