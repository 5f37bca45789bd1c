// The two kernels of a pair as nodes of MLX's graph: what they make, their gradients, and what mx.vmap does to them.
// A node has `members` networks of one circuit: its values come for each of them, its rows are those of the first
// member's batch, then those of the second's, and so on. Rows that are `common` have one batch, which all members read.
#include "mlx/backend/cpu/encoder.h"
#include "mlx/device.h"
#include "mlx/fast.h"
#include "mlx/ops.h"
#include "mlx/primitives.h"
#include "mlx/stream.h"
#include "mlx/transforms.h"
#include "mlx/utils.h"
#include "mlx/version.h"

typedef std::vector<array> Arrays;
typedef std::shared_ptr<const Pair> Kernels;
typedef std::pair<Arrays, std::vector<int>> Mapped;
typedef std::vector<bool> Common;  // of each array of rows, whether all members read the same

static std::atomic<bool> failed_late{false};
inline void Run::later(const std::vector<std::pair<float *, int64_t>> &outputs) const {
    try {
        now();
    } catch (...) {
        failed_late = true;
        for (auto &[data, size] : outputs) std::fill_n(data, size, NAN);
    }
}

static void *(*save_thread)() = nullptr;
static void (*restore_thread)(void *) = nullptr;

struct Released {  // Python's lock, for as long as something is computed
    void *state = save_thread();
    ~Released() { restore_thread(state); }
};

// Whether a transformation such as mx.grad or mx.compile is at work: an array that one follows says so.
static bool transformed() {
    static const array *probe = [] {
        auto *made = new array(0.0f);
        made->set_tracer(true);
        return made;
    }();
    return probe->is_tracer();
}

// Results at once, on this thread: arrays whose first axes are `front`, for all rows of all members.
static Arrays at_once(const Kernels &pair, std::vector<Given> read, int64_t members, int64_t batch, int64_t threads,
                      const mx::Shape &front) {
    Run run{pair, false, false, members, batch, threads, std::move(read)};
    Arrays made;
    for (auto shape : pair->results) {
        shape.insert(shape.begin(), front.begin(), front.end());
        const size_t bytes = std::max<size_t>(4 * product(shape), 4);
        made.push_back(array(mx::allocator::malloc(bytes), shape, mx::float32));
        run.made.push_back(data_of(made.back()));
        run.steps.push_back(made.back().size() / members);
    }
    static float unread[2 * VECTOR];
    for (size_t i = 0; i < pair->saves.size(); i++) {
        run.made.push_back(aligned(unread));
        run.steps.push_back(0);
    }
    Released released;
    run.now();
    return made;
}

static void dispatch(mx::Stream stream, Run run, const Arrays &outputs) {
    std::vector<std::pair<float *, int64_t>> made;
    for (auto &o : outputs) made.emplace_back(data_of(o), o.data_size() < o.size() ? 0 : o.size());
    mx::cpu::get_command_encoder(stream).dispatch([run = std::move(run), made = std::move(made)] { run.later(made); });
}

static void set_plain(array &a) { a.set_data(mx::allocator::malloc(std::max<size_t>(a.nbytes(), 4))); }

struct Node : mx::Primitive {
    Kernels pair;
    int64_t members, threads;
    Common common;
    Node(mx::Stream stream, Kernels pair, int64_t members, int64_t threads, Common common)
        : Primitive(stream), pair(std::move(pair)), members(members), threads(threads), common(std::move(common)) {}
    void eval_gpu(const Arrays &, Arrays &) override {
        throw std::runtime_error("a kernel of the processor cannot run on a GPU: call the network with stream=mx.cpu");
    }
    int64_t members_of(size_t row) const { return common[row] ? 1 : members; }
    int64_t batch_of(const Arrays &inputs) const { return inputs[pair->values.size()].shape(0) / members_of(0); }
    Given given_of(const Arrays &inputs, size_t i) const {
        const size_t values = pair->values.size();
        return given(inputs[i], i < values ? members : members_of(i - values));
    }

    static int mapped(const Arrays &inputs, const std::vector<int> &axes) {
        for (size_t i = 0; i < axes.size(); i++)
            if (axes[i] >= 0) return inputs[i].shape(axes[i]);
        return 1;
    }
    // (n, ...) of an input that may have that axis anywhere, or not at all.
    array in_front(const array &a, int axis, int n) {
        if (axis >= 0) return mx::moveaxis(a, axis, 0, stream());
        mx::Shape shape = a.shape();
        shape.insert(shape.begin(), n);
        return mx::broadcast_to(mx::expand_dims(a, 0, stream()), shape, stream());
    }
    // (n, rows, ...) as (n * rows, ...), and back.
    array joined(const array &a) { return mx::flatten(a, 0, 1, stream()); }
    array parted(const array &a, int n) { return mx::unflatten(a, 0, {n, a.shape(0) / n}, stream()); }

    // Rows for n times as many members, and whether these have them in common.
    array row_mapped(const array &a, int axis, int n, size_t row, Common &now) {
        now.push_back(axis < 0 && members_of(row) == 1);
        if (now.back()) return a;
        array found = in_front(a, axis, n);
        if (members_of(row) < members) {
            mx::Shape shape = found.shape();
            shape.insert(shape.begin() + 1, (int)members);
            found = mx::flatten(mx::broadcast_to(mx::expand_dims(found, 1, stream()), shape, stream()), 1, 2, stream());
        }
        return joined(found);
    }
};

struct Backward : Node {
    bool saving;
    int64_t saved_members;  // what was saved is of so many members, and serves the others again
    Backward(mx::Stream s, Kernels pair, int64_t members, int64_t threads, Common common, bool saving,
             int64_t saved_members)
        : Node(s, std::move(pair), members, threads, std::move(common)), saving(saving), saved_members(saved_members) {}
    const char *name() const override { return "GanglionBackward"; }
    bool is_equivalent(const Primitive &primitive) const override {
        auto &other = (const Backward &)primitive;
        return pair == other.pair && members == other.members && common == other.common && saving == other.saving;
    }

    static Arrays made(mx::Stream s, Kernels pair, int64_t members, int64_t threads, Common common, bool saving,
                       int64_t saved_members, const Arrays &inputs) {
        const size_t n = pair->values.size();
        auto node = std::make_shared<Backward>(s, pair, members, threads, std::move(common), saving, saved_members);
        std::vector<mx::Shape> shapes;
        for (auto row : pair->gradients) {
            mx::Shape shape = pair->rows[row];
            shape.insert(shape.begin(), (int)(node->batch_of(inputs) * members));
            shapes.push_back(shape);
        }
        for (size_t v = 0; v < n; v++) shapes.push_back(inputs[v].shape());
        const std::vector<mx::Dtype> types(shapes.size(), mx::float32);
        return array::make_arrays(shapes, types, node, inputs);
    }

    void eval_cpu(const Arrays &inputs, Arrays &outputs) override {
        for (auto &o : outputs) set_plain(o);
        const int64_t batch = batch_of(inputs);
        Run run{pair, true, saving, members, batch, threads};
        const size_t plain = pair->values.size() + pair->given.size();
        for (size_t i = 0; i < plain; i++) run.inputs.push_back(given_of(inputs, i));
        for (size_t i = 0; i < pair->saves.size(); i++) {
            Given saved{nothing, 0, 1, true};
            if (saving) {
                const array &a = inputs[plain + i];
                saved = {aligned(data_of(a)), pair->saved_floats(i, batch), saved_members, true};
            }
            saved.data = aligned(saved.data);
            run.inputs.push_back(saved);
        }
        const size_t n = pair->gradients.size();
        for (size_t i = 0; i < n; i++) {
            run.made.push_back(data_of(outputs[i]));
            run.steps.push_back(outputs[i].size() / members);
        }
        for (size_t i = n; i < outputs.size(); i++) run.gradients.push_back(data_of(outputs[i]));
        dispatch(stream(), std::move(run), outputs);
    }

    Arrays vjp(const Arrays &, const Arrays &, const std::vector<int> &, const Arrays &) override {
        throw std::runtime_error("the fused engine has no second derivatives: use engine='ops'");
    }
    Arrays jvp(const Arrays &, const Arrays &, const std::vector<int> &) override {
        throw std::runtime_error("the fused engine has no second derivatives: use engine='ops'");
    }

    // Gradients of values belong to each of the n alone, so all n become members.
    Mapped vmap(const Arrays &inputs, const std::vector<int> &axes) override {
        const int n = mapped(inputs, axes);
        const size_t values = pair->values.size(), plain = values + pair->given.size();
        const int64_t batch = inputs[values].shape(axes[values] == 0 ? 1 : 0) / members_of(0);
        Arrays all;
        Common now;
        for (size_t i = 0; i < inputs.size(); i++) {
            if (i >= plain) all.push_back(inputs[i]);
            else if (i < values) all.push_back(in_front(inputs[i], axes[i], n));
            else all.push_back(row_mapped(inputs[i], axes[i], n, i - values, now));
        }
        int64_t theirs = saved_members;  // those of a forward node that was mapped itself, or of one that was not
        if (saving && (int64_t)all[plain].size() > pair->saved_floats(0, batch) * members + VECTOR) theirs *= n;
        Arrays found = made(stream(), pair, members * n, threads, now, saving, theirs, all);
        for (size_t i = 0; i < pair->gradients.size(); i++) found[i] = parted(found[i], n);
        return {found, std::vector<int>(found.size(), 0)};
    }
};

struct Forward : Node {
    std::atomic<bool> wanted;  // a gradient will be asked for: save what it needs
    Forward(mx::Stream s, Kernels pair, int64_t members, int64_t threads, Common common, bool wanted)
        : Node(s, std::move(pair), members, threads, std::move(common)), wanted(wanted) {}
    const char *name() const override { return "GanglionForward"; }
    bool is_equivalent(const Primitive &primitive) const override {
        auto &other = (const Forward &)primitive;
        return pair == other.pair && members == other.members && common == other.common && wanted == other.wanted;
    }

    static Arrays made(mx::Stream s, Kernels pair, int64_t members, int64_t threads, Common common,
                       const Arrays &inputs, bool wanted = false) {
        auto node = std::make_shared<Forward>(s, pair, members, threads, std::move(common), wanted);
        const std::vector<mx::Shape> shapes = node->output_shapes(inputs);
        return array::make_arrays(shapes, std::vector<mx::Dtype>(shapes.size(), mx::float32), node, inputs);
    }

    std::vector<mx::Shape> output_shapes(const Arrays &inputs) override {
        const size_t n = pair->values.size();
        const int64_t batch = batch_of(inputs);
        for (size_t i = 0; i < pair->rows.size(); i++) {
            mx::Shape expected = pair->rows[i];
            expected.insert(expected.begin(), (int)(batch * members_of(i)));
            if (product(expected) != (int64_t)inputs[n + i].size() || inputs[n + i].shape(0) != expected[0])
                throw std::invalid_argument(
                    "a function that was compiled with shapeless=True has a fused kernel for the number of sequences "
                    "and samples that it was first called with: compile it without shapeless, or use engine='ops'");
        }
        std::vector<mx::Shape> shapes = pair->results;
        for (auto &shape : shapes) shape.insert(shape.begin(), (int)(batch * members));
        const bool saving = pair->may_save(members, batch);
        for (size_t i = 0; i < pair->saves.size(); i++)
            shapes.push_back({saving ? (int)(pair->saved_floats(i, batch) * members + VECTOR) : 1});
        return shapes;
    }

    void eval_cpu(const Arrays &inputs, Arrays &outputs) override {
        const int64_t batch = batch_of(inputs);
        const bool saving = wanted && pair->may_save(members, batch);
        Run run{pair, false, saving, members, batch, threads};
        for (size_t i = 0; i < inputs.size(); i++) run.inputs.push_back(given_of(inputs, i));
        const size_t n = pair->results.size();
        for (size_t i = 0; i < outputs.size(); i++) {
            array &o = outputs[i];
            if (i < n) set_plain(o);
            else if (saving) o.copy_shared_buffer(spare().take(o.size()));
            else o.set_data(mx::allocator::malloc(4 * 2 * VECTOR), 1, o.strides(), {false, false, false});
            run.made.push_back(i < n ? data_of(o) : aligned(o.data<float>()));
            run.steps.push_back(i < n ? o.size() / members : saving ? pair->saved_floats(i - n, batch) : 0);
        }
        dispatch(stream(), std::move(run), outputs);
    }

    Arrays vjp(const Arrays &primals, const Arrays &cotangents, const std::vector<int> &argnums,
               const Arrays &outputs) override {
        const size_t n = pair->values.size(), rows = pair->rows.size(), results = pair->results.size();
        bool saved = pair->saves.size() && pair->may_save(members, batch_of(primals));
        if (saved) {
            const array &first = outputs[results];
            if (first.status() == array::Status::unscheduled) wanted = true;
            else saved = first.data_size() == first.size();  // it ran before, and may have saved nothing
        }
        Arrays inputs(primals.begin(), primals.begin() + n);
        Common theirs;
        for (auto k : pair->given) {
            const size_t i = k;
            theirs.push_back(i < rows && common[i]);
            inputs.push_back(i < rows ? primals[n + i] : i < rows + results ? outputs[i - rows]
                                                                            : cotangents[i - rows - results]);
        }
        if (saved) inputs.insert(inputs.end(), outputs.begin() + results, outputs.end());
        const Arrays found = Backward::made(stream(), pair, members, threads, theirs, saved, members, inputs);
        Arrays gradients;
        for (int k : argnums) {
            const size_t i = k;
            const auto &of = pair->gradients;
            const auto at = i < n ? of.end() : std::find(of.begin(), of.end(), (int64_t)(i - n));
            if (i < n) gradients.push_back(found[of.size() + i]);
            else if (at == of.end()) gradients.push_back(mx::zeros_like(primals[i], stream()));
            else if (!common[i - n]) gradients.push_back(found[at - of.begin()]);
            else gradients.push_back(mx::sum(parted(found[at - of.begin()], (int)members), 0, false, stream()));
        }
        return gradients;
    }
    Arrays jvp(const Arrays &, const Arrays &, const std::vector<int> &) override {
        throw std::runtime_error("the fused engine has no forward-mode derivatives: use engine='ops'");
    }

    // Whether members can be computed as soon as their values are known: the trip through MLX's stream, to a thread that may
    // have no processor of its own, takes longer than small circuits do.
    bool may_be_now(const Arrays &inputs, const std::vector<int> &axes) const {
        bool found = members == 1 && !wanted && !transformed();
        for (size_t i = 0; i < inputs.size(); i++) found = found && axes[i] <= 0 && inputs[i].is_available();
        return found;
    }

    // n batches of the same networks are one larger batch; n sets of values are more members. What is saved is taken
    // apart by nobody but a backward node, for which all n are members.
    Mapped vmap(const Arrays &inputs, const std::vector<int> &axes) override {
        const int n = mapped(inputs, axes);
        const size_t values = pair->values.size();
        bool apart = wanted || members > 1;
        for (size_t v = 0; v < values; v++) apart = apart || axes[v] >= 0;
        std::vector<int> places(pair->results.size() + pair->saves.size(), -1);
        std::fill_n(places.begin(), pair->results.size(), 0);
        if (apart && may_be_now(inputs, axes)) {
            std::vector<Given> read;
            for (size_t i = 0; i < inputs.size(); i++) read.push_back(given(inputs[i], axes[i] < 0 ? 1 : n));
            const int batch = inputs[values].shape(axes[values] < 0 ? 0 : 1);
            Arrays found = at_once(pair, std::move(read), n, batch, threads, {n, batch});
            found.resize(places.size(), array(0.0f));  // nobody asks for what was not saved
            return {found, places};
        }
        Arrays all;
        Common theirs(apart ? 0 : pair->rows.size(), false);
        for (size_t i = 0; i < inputs.size(); i++) {
            if (i < values) all.push_back(apart ? in_front(inputs[i], axes[i], n) : inputs[i]);
            else if (apart) all.push_back(row_mapped(inputs[i], axes[i], n, i - values, theirs));
            else all.push_back(joined(in_front(inputs[i], axes[i], n)));
        }
        Arrays found = made(stream(), pair, apart ? members * n : members, threads, theirs, all, wanted);
        for (size_t i = 0; i < pair->results.size(); i++) found[i] = parted(found[i], n);
        return {found, places};
    }
};
