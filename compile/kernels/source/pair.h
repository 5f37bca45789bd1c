// A pair of kernels over one circuit, and running one of the two over the rows of a batch, for one network or for
// several members of an ensemble. Of MLX, only arrays are known here.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>
#include "mlx/array.h"
#include "mlx/allocator.h"

namespace mx = mlx::core;
using mx::array;
typedef int (*KernelFunction)(const int64_t *, const float *, void *const *, int64_t, int64_t *);
typedef int (*Pool)(KernelFunction, const int64_t *, const float *, void *const *, int64_t, int);
typedef std::vector<int64_t> Whole;
typedef std::vector<std::vector<int32_t>> Index;

// What Python declares: whole numbers, and in front of each list how many it has.
struct Words {
    const int64_t *at;
    int64_t one() { return *at++; }
    Whole list() {
        const int64_t n = one();
        Whole found(at, at + n);
        at += n;
        return found;
    }
};

struct Half {  // one kernel
    KernelFunction function, crew;  // for threads that share blocks, and that share the neurons of one; or none
    Whole sizes[2];  // when forward saves nothing for backward, and when it does
    std::vector<float> numbers;
    std::shared_ptr<const Index> index;
};

struct Pair {
    Half forward, backward;
    Pool pool;
    int64_t lanes;                         // rows of the batch in one vector
    int64_t saved_most;                    // bytes that forward may save for backward
    Whole values;                          // floats of each
    std::vector<mx::Shape> rows, results;  // given and made by forward, of one row of the batch
    Whole saves;                           // floats of one row
    Whole given;      // rows of backward: forward's rows, its results and the gradients of those, counted in that order
    Whole gradients;  // the forward row that each result of backward is the gradient of
    Whole totals;     // floats of each
    Whole total_of;   // which total is the gradient of each value; -1 for none

    int64_t blocks(int64_t batch) const { return (batch + lanes - 1) / lanes; }
    int64_t saved_floats(size_t i, int64_t batch) const { return saves[i] * blocks(batch) * lanes; }
    bool may_save(int64_t members, int64_t batch) const {
        int64_t floats = 0;
        for (size_t i = 0; i < saves.size(); i++) floats += saved_floats(i, batch);
        return floats && floats * 4 * members <= saved_most;
    }
};

static int64_t product(const mx::Shape &shape) {
    int64_t found = 1;
    for (auto n : shape) found *= n;
    return found;
}

template <class T> static T *aligned(T *p) { return (T *)(((uintptr_t)p + 63) & ~(uintptr_t)63); }
static const int64_t VECTOR = 16;  // floats that make room to begin at a whole vector

// Large arrays that nobody reads any more wait here for the next call: on fresh pages, the first write costs more than
// all that a kernel computes for it.
struct Spare {
    std::mutex guard;
    std::vector<array> held;
    static bool free(const array &a) { return a.data_shared_ptr().use_count() == 1; }

    array take(int64_t floats) {
        std::lock_guard<std::mutex> lock(guard);
        for (auto &a : held)
            if ((int64_t)a.size() == floats && free(a)) {
                std::atomic_thread_fence(std::memory_order_acquire);  // after whoever gave it back
                return a;
            }
        array fresh(mx::allocator::malloc(4 * floats), mx::Shape{(int)floats}, mx::float32);
        if (held.size() >= 8) held.erase(std::remove_if(held.begin(), held.end(), free), held.end());
        if (held.size() < 8) held.push_back(fresh);
        return fresh;
    }
    void forget() {
        std::lock_guard<std::mutex> lock(guard);
        held.clear();
    }
};
static Spare &spare() {
    static Spare *shared = new Spare;  // never destroyed: a thread may still hold what it gave
    return *shared;
}

// An array as it is given: laid out in any way, for all members or one copy for all of them.
struct Given {
    const float *data;
    int64_t step, period;  // floats from one member to the next, and after how many members it begins again
    bool dense;
    mx::Shape shape;
    mx::Strides strides;
    int64_t size;
};

static float nothing[2 * VECTOR];
static float *data_of(const array &a) { return a.size() ? const_cast<float *>(a.data<float>()) : nothing; }

static Given given(const array &a, int64_t members) {
    const int64_t size = a.size(), each = size / members;
    Given found{data_of(a), each, members, !size || a.flags().row_contiguous, a.shape(), a.strides(), size};
    if (!found.dense && members > 1 && a.ndim() && a.shape(0) == members && a.strides(0) == 0) {
        int64_t next = 1;  // one copy for all members, if that copy lies row after row
        bool dense = true;
        for (int d = (int)a.ndim() - 1; d > 0; next *= a.shape(d--)) dense &= a.shape(d) == 1 || a.strides(d) == next;
        if (dense) found.step = 0, found.dense = true;
    }
    return found;
}

// The same, row after row.
static void gather(const Given &a, float *to) {
    const int n = (int)a.shape.size();
    std::vector<int> at(n, 0);
    const float *p = a.data;
    const int inner = n ? a.shape[n - 1] : 1;
    const int64_t step = n ? a.strides[n - 1] : 0;
    for (int64_t done = 0; done < a.size; done += inner) {
        for (int i = 0; i < inner; i++) to[done + i] = p[i * step];
        for (int d = n - 2; d >= 0; d--) {
            p += a.strides[d];
            if (++at[d] < a.shape[d]) break;
            p -= a.strides[d] * a.shape[d];
            at[d] = 0;
        }
    }
}

struct Members {  // a task of the pool: a kernel over the blocks of all members
    KernelFunction function;
    const int64_t *sizes;
    const float *numbers;
    std::vector<void *> places;  // of the first member, then of the second, ...
    Whole next;                  // of each, the block that nobody has taken yet
    int64_t batch, threads;
};

// Each thread begins with another member, and helps with the others when that one is done.
static int each_member(const int64_t *, const float *, void *const *arrays, int64_t members, int64_t *next) {
    Members &all = *(Members *)arrays[0];
    const size_t n = all.places.size() / members;
    const int64_t first = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED) * members / all.threads;
    int failed = 0;
    for (int64_t k = 0; k < members; k++) {
        const int64_t m = (first + k) % members;
        failed += all.function(all.sizes, all.numbers, all.places.data() + m * n, all.batch, &all.next[m]);
    }
    return failed;
}

static const int64_t ROWS = 16;              // of totals at once, at least
static const int64_t MOST_TOTALS = 1 << 24;  // floats of totals at once, for more rows

// One kernel over one batch, with all that it needs to run at any later time.
struct Run {
    std::shared_ptr<const Pair> pair;
    bool back, saving;
    int64_t members, batch, threads;  // rows of the batch of one member
    std::vector<Given> inputs;        // values and rows, then what was saved
    std::vector<float *> made;        // results, then what is saved
    Whole steps;                      // of these, floats from one member to the next
    std::vector<float *> gradients;   // of the values

    // Raises bad_alloc, and runtime_error if a kernel finds no memory.
    void now() const {
        const Half &half = back ? pair->backward : pair->forward;
        const int64_t blocks = pair->blocks(batch), units = blocks * members;
        std::vector<std::unique_ptr<float[]>> copies;
        std::vector<Given> read;
        for (auto &a : inputs) {
            read.push_back(a);
            if (a.dense) continue;
            copies.emplace_back(new float[a.size + VECTOR]);
            float *to = aligned(copies.back().get());
            gather(a, to);
            read.back().data = to;
        }
        int64_t total = 0;
        for (auto n : pair->totals) total += back ? n : 0;
        // Totals have one row per block, of so many blocks at once; rows are added in order: the same sum for any number
        // of threads, and of rows.
        const int64_t at_once = total ? std::min(blocks, std::max(ROWS, MOST_TOTALS / (total * members))) : blocks;
        const array sums = spare().take(std::max<int64_t>(total * at_once * members, 1) + VECTOR);
        float *const sum = aligned(data_of(sums));

        Members all{half.function, half.sizes[saving].data(), half.numbers.data(),
                    {}, Whole(members, 0), batch, std::min(units, threads)};
        const size_t last = half.index->size() + read.size() + made.size();
        for (int64_t m = 0; m < members; m++) {
            for (auto &a : *half.index) all.places.push_back((void *)a.data());
            for (auto &a : read) all.places.push_back((void *)(a.data + m % a.period * a.step));
            for (size_t i = 0; i < made.size(); i++) all.places.push_back(made[i] + m * steps[i]);
            all.places.push_back(nullptr);
        }
        std::vector<float> added(at_once < blocks ? total * members : 0);
        for (int64_t first = 0; first < blocks; first += at_once) {
            const int64_t end = std::min(blocks, first + at_once);
            all.batch = std::min(batch, end * pair->lanes);
            for (int64_t m = 0; m < members; m++) {
                all.next[m] = first;
                // A kernel writes the row of its block, counted from the first of all.
                all.places[m * (last + 1) + last] = sum + (m * at_once - first) * total;
            }
            if (half.crew && members == 1 && end - first <= CREW_BLOCKS) together(half, all, first);
            else run(all, members);
            if (!back) continue;
            for (int64_t m = 0; m < members; m++) {
                float *const row = sum + m * at_once * total, *const kept = added.data() + m * total;
                if (first) for (int64_t i = 0; i < total; i++) row[i] = kept[i] + row[i];
                for (int64_t b = 1; b < end - first; b++)
                    for (int64_t i = 0; i < total; i++) row[i] += row[b * total + i];
                if (end < blocks) std::memcpy(kept, row, 4 * total);
            }
        }
        if (!back) return;
        for (int64_t m = 0; m < members; m++) {
            float *const row = sum + m * at_once * total;
            for (size_t v = 0; v < gradients.size(); v++) {
                float *const to = gradients[v] + m * pair->values[v];
                if (pair->total_of[v] < 0) std::fill_n(to, pair->values[v], 0.0f);
                else std::memcpy(to, row + start(pair->total_of[v]), 4 * pair->values[v]);
            }
        }
    }

    void together(const Half &half, Members &all, int64_t first) const {
        Crew crew{threads, first, 0, 0, 0, nullptr};
        all.places.push_back(&crew);
        int64_t next = 0;
        const int failed = threads < 2 ? half.crew(all.sizes, all.numbers, all.places.data(), all.batch, &next)
                                       : pair->pool(half.crew, all.sizes, all.numbers, all.places.data(), all.batch,
                                                    (int)threads - 1);
        all.places.pop_back();
        if (failed) throw std::runtime_error("no memory for the working arrays of a kernel");
    }

    void run(Members &all, int64_t members) const {
        void *one[] = {&all};
        int64_t next = 0;
        const int failed = all.threads < 2 ? each_member(nullptr, nullptr, one, members, &next)
                                           : pair->pool(each_member, nullptr, nullptr, one, members, (int)all.threads - 1);
        if (failed) throw std::runtime_error("no memory for the working arrays of a kernel");
    }

    int64_t start(int64_t t) const {
        int64_t found = 0;
        for (int64_t i = 0; i < t; i++) found += pair->totals[i];
        return found;
    }

    // In a task of MLX, which no exception may leave: NaN says that it failed, and the next call why.
    void later(const std::vector<std::pair<float *, int64_t>> &outputs) const;
};
