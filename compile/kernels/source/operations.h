// Operations on whole arrays as nodes of MLX's graph: kernels of whole.h, and the matrix product of the BLAS that SciPy
// brings. Each has derivatives of any order, made of nodes like it or of MLX's own operations, and a rule for mx.vmap.

typedef void (*Sgemm)(const char *, const char *, const int *, const int *, const int *, const float *, const float *,
                      const int *, const float *, const int *, const float *, float *, const int *);
static Sgemm sgemm = nullptr;

// The formula of a curve in MLX's own operations, for derivatives of its slope.
static array formula(int curve, const array &x, float a, float b) {
    const array zero(0.0f), one(1.0f);
    const auto soft = [&](const array &z) { return mx::logaddexp(z, zero); };
    const auto elu = [&](float a) { return mx::where(x > zero, x, array(a) * (mx::exp(mx::minimum(x, zero)) - one)); };
    const auto hard = [&] { return mx::clip(x + array(3.0f), zero, array(6.0f)) / array(6.0f); };
    switch (curve) {
        case CELU: return mx::maximum(x, zero) + array(a) * (mx::exp(mx::minimum(x, zero) / array(a)) - one);
        case ELU: return elu(a);
        case EXPONENTIAL: return mx::exp(x);
        case GELU: return x * (one + mx::erf(x * array(0.70710678f))) * array(0.5f);
        case GELU_APPROX: return x * mx::sigmoid(array(1.59576912f) * (x + array(0.044715f) * x * x * x));
        case GELU_FAST_APPROX: return x * mx::sigmoid(array(1.702f) * x);
        case HARD_SIGMOID: return hard();
        case HARDSWISH: return x * hard();
        case LECUN_TANH: return array(1.7159f) * mx::tanh(array(0.666f) * x);
        case LOG_SIGMOID: return -soft(-x);
        case MISH: return x * mx::tanh(soft(x));
        case RELU2: return mx::square(mx::maximum(x, zero));
        case SELU: return elu(SELU_A) * array(SELU_SCALE);
        case SIGMOID: return mx::sigmoid(x);
        case SILU: return x * mx::sigmoid(x);
        case SOFTPLUS: return soft(x);
        case SOFTSIGN: return x / (one + mx::abs(x));
        case TANH: return mx::tanh(x);
        default: return x * zero;  // of straight pieces, whose slopes have none
    }
}

struct Slope : Operation<Slope> {
    static constexpr const char *NAME = "GanglionSlope";
    using Operation::Operation;
    std::vector<mx::Shape> output_shapes(const Arrays &inputs) override { return {inputs[0].shape()}; }
    Task task(const Arrays &, const array &out) const {
        return [f = curve_function(what, true), numbers = numbers, n = (int64_t)out.size()](auto &from, float *to) {
            spread(f, {}, numbers, {from[0], to}, n, PIECE);
        };
    }
    Arrays bent(const array &x, const array &by) const {
        const auto value = [this](const array &x) { return formula(what, x, numbers[0], numbers[1]); };
        const auto slope = [&](const array &x) { return mx::vjp(value, x, mx::ones_like(x)).second; };
        return {mx::vjp(slope, x, by).second};
    }
    Arrays vjp(const Arrays &x, const Arrays &c, const std::vector<int> &, const Arrays &) override {
        return bent(x[0], c[0]);
    }
    Arrays jvp(const Arrays &x, const Arrays &t, const std::vector<int> &) override { return bent(x[0], t[0]); }
    Mapped vmap(const Arrays &x, const std::vector<int> &axes) override {
        return {{made(stream(), x, what, numbers)}, axes};
    }
};

struct Curved : Operation<Curved> {
    static constexpr const char *NAME = "GanglionCurve";
    using Operation::Operation;
    std::vector<mx::Shape> output_shapes(const Arrays &inputs) override { return {inputs[0].shape()}; }
    Task task(const Arrays &, const array &out) const {
        return [f = curve_function(what, false), numbers = numbers, n = (int64_t)out.size()](auto &from, float *to) {
            spread(f, {}, numbers, {from[0], to}, n, PIECE);
        };
    }
    Arrays steep(const array &x, const array &by) {
        return {mx::multiply(by, Slope::made(stream(), {x}, what, numbers), stream())};
    }
    Arrays vjp(const Arrays &x, const Arrays &c, const std::vector<int> &, const Arrays &) override {
        return steep(x[0], c[0]);
    }
    Arrays jvp(const Arrays &x, const Arrays &t, const std::vector<int> &) override { return steep(x[0], t[0]); }
    Mapped vmap(const Arrays &x, const std::vector<int> &axes) override {
        return {{made(stream(), x, what, numbers)}, axes};
    }
};

// What is done to each row of the last axis: numbers are the epsilon of a norm, and whether it has a weight and a bias.
struct Rows : Operation<Rows> {
    static constexpr const char *NAME = "GanglionRows";
    using Operation::Operation;
    std::vector<mx::Shape> output_shapes(const Arrays &inputs) override {
        mx::Shape shape = inputs[0].shape();
        if (what == GLU) shape.back() /= 2;
        return {shape};
    }
    Task task(const Arrays &inputs, const array &) const {
        const int64_t n = inputs[0].shape(-1), rows = inputs[0].size() / std::max<int64_t>(n, 1);
        const bool norm = what == LAYER_NORM;
        Whole sizes = {what, n, norm && numbers[1] > 0, norm && numbers[2] > 0};
        return [=, numbers = numbers](auto &from, float *to) {
            std::vector<void *> arrays(from.begin(), from.end());
            arrays.push_back(to);
            spread(row_part, sizes, numbers, arrays, rows, SOME_ROWS);
        };
    }
    Arrays plain(const Arrays &x) {  // of what has no formula for its derivative here
        if (what == GLU) {
            const Arrays halves = mx::split(x[0], 2, -1, stream());
            return {mx::multiply(halves[0], Curved::made(stream(), {halves[1]}, SIGMOID, {0, 0}), stream())};
        }
        std::optional<array> weight, bias;
        if (numbers[1] > 0) weight = x[1];
        if (numbers[2] > 0) bias = x.back();
        return {mx::fast::layer_norm(x[0], weight, bias, numbers[0], stream())};
    }
    Arrays vjp(const Arrays &x, const Arrays &c, const std::vector<int> &which, const Arrays &y) override {
        const auto s = stream();
        if (what == SOFTMAX)
            return {mx::multiply(y[0], mx::subtract(c[0], mx::sum(mx::multiply(c[0], y[0], s), -1, true, s), s), s)};
        if (what == LOG_SOFTMAX) {
            const array p = Curved::made(s, {y[0]}, EXPONENTIAL, {0, 0});
            return {mx::subtract(c[0], mx::multiply(p, mx::sum(c[0], -1, true, s), s), s)};
        }
        const Arrays all = mx::vjp([this](const Arrays &x) { return plain(x); }, x, c).second;
        Arrays found;
        for (int k : which) found.push_back(all[k]);
        return found;
    }
    Arrays jvp(const Arrays &x, const Arrays &t, const std::vector<int> &which) override {
        const auto s = stream();
        if (what == SOFTMAX || what == LOG_SOFTMAX) {
            const array y = made(s, x, SOFTMAX, numbers), mean = mx::sum(mx::multiply(t[0], y, s), -1, true, s);
            const array apart = mx::subtract(t[0], mean, s);
            return {what == SOFTMAX ? mx::multiply(y, apart, s) : apart};
        }
        Arrays tangents;
        for (auto &a : x) tangents.push_back(mx::zeros_like(a, s));
        for (size_t i = 0; i < which.size(); i++) tangents[which[i]] = t[i];
        return mx::jvp([this](const Arrays &x) { return plain(x); }, x, tangents).second;
    }
    Mapped vmap(const Arrays &x, const std::vector<int> &axes) override {
        const auto s = stream();
        const bool alone = std::all_of(axes.begin() + 1, axes.end(), [](int axis) { return axis < 0; });
        if (alone) return {{made(s, [&] { Arrays all = x; all[0] = in_front(x[0], axes[0], s); return all; }(), what, numbers)}, {0}};
        // Each has a weight of its own: norm first, then scale and shift.
        array y = made(s, {in_front(x[0], axes[0], s)}, what, {numbers[0], 0, 0});
        const auto row = [&](size_t i) {  // (n, 1, ..., 1, N)
            array v = in_front(x[i], axes[i], s);
            const int ndim = (int)x[0].ndim() - (axes[0] >= 0);
            for (int k = 1; axes[i] >= 0 && k < ndim; k++) v = mx::expand_dims(v, 1, s);
            return v;
        };
        if (numbers[1] > 0) y = mx::multiply(y, row(1), s);
        if (numbers[2] > 0) y = mx::add(y, row(x.size() - 1), s);
        return {{y}, {0}};
    }
};

// Sums and means: over all, over the last axis or over the first. numbers: how many there are for a mean, else 1.
enum { OVER_ALL, OVER_LAST, OVER_FIRST };
struct Reduced : Operation<Reduced> {
    static constexpr const char *NAME = "GanglionSum";
    using Operation::Operation;
    std::vector<mx::Shape> output_shapes(const Arrays &inputs) override {
        mx::Shape shape = inputs[0].shape();
        if (what == OVER_ALL) return {mx::Shape{}};
        shape.erase(what == OVER_LAST ? shape.end() - 1 : shape.begin());
        return {shape};
    }
    Task task(const Arrays &inputs, const array &out) const {
        const int64_t size = inputs[0].size(), n = out.size(), each = size / std::max<int64_t>(n, 1);
        if (what == OVER_ALL)
            return [=, numbers = numbers](auto &from, float *to) {
                std::vector<float> sums((size + PIECE - 1) / PIECE);
                spread(piece_sums, {}, numbers, {from[0], sums.data()}, size, PIECE);
                double sum = 0;
                for (float s : sums) sum += s;
                *to = (float)(sum / numbers[0]);
            };
        if (what == OVER_LAST)
            return [=, numbers = numbers](auto &from, float *to) {
                spread(row_part, {ROW_SUM, each, 0, 0}, numbers, {from[0], to}, n, SOME_ROWS);
            };
        return [=, numbers = numbers](auto &from, float *to) {
            spread(column_sums, {each}, numbers, {from[0], to}, n, 4 * LANES);
        };
    }
    Arrays vjp(const Arrays &x, const Arrays &c, const std::vector<int> &, const Arrays &) override {
        const auto s = stream();
        array back = numbers[0] == 1 ? c[0] : mx::divide(c[0], array(numbers[0]), s);
        if (what == OVER_LAST) back = mx::expand_dims(back, -1, s);
        return {mx::broadcast_to(back, x[0].shape(), s)};
    }
    Arrays jvp(const Arrays &, const Arrays &t, const std::vector<int> &) override {
        return {made(stream(), t, what, numbers)};
    }
    Mapped vmap(const Arrays &x, const std::vector<int> &axes) override {
        const auto s = stream();
        array all = in_front(x[0], axes[0], s);
        if (what == OVER_ALL) all = mx::flatten(all, 1, -1, s);
        if (what == OVER_FIRST) all = mx::contiguous(mx::moveaxis(all, 1, -1, s), false, s);
        return {{made(s, {all}, OVER_LAST, numbers)}, {0}};
    }
};

// Random numbers of MLX's generator: `shape` of them for each key.
struct Draw : Operation<Draw> {
    static constexpr const char *NAME = "GanglionDraw";
    using Operation::Operation;
    bool is_equivalent(const Primitive &primitive) const override {
        return Operation::is_equivalent(primitive) && shape == ((const Draw &)primitive).shape;
    }
    std::vector<mx::Shape> output_shapes(const Arrays &keys) override {
        mx::Shape all(keys[0].shape().begin(), keys[0].shape().end() - 1);
        all.insert(all.end(), shape.begin(), shape.end());
        return {all};
    }
    void eval_cpu(const Arrays &inputs, array &out) override {
        set_plain(out);
        const int64_t keys = inputs[0].size() / 2, n = out.size() / std::max<int64_t>(keys, 1);
        mx::cpu::get_command_encoder(stream()).dispatch([=, key = (uint32_t *)inputs[0].data<uint32_t>(), to = data_of(out), what = what] {
            for (int64_t k = 0; n && k < keys; k++) spread(draw_part, {what, n}, {}, {key + 2 * k, to + n * k}, n - n / 2, PIECE);
        });
    }
    Task task(const Arrays &, const array &) const { return {}; }
    Mapped vmap(const Arrays &keys, const std::vector<int> &axes) override {
        return {{made(stream(), {in_front(keys[0], axes[0], stream())}, what, {}, shape)}, {0}};
    }
};

// A matrix as the BLAS takes it: row after row or column after column, in a copy if it is neither.
struct Matrices {
    Given given;
    bool turned = false;
    int64_t line = 0, step = 0;  // from one row (or column) to the next, from one matrix to the next
    explicit Matrices(const array &a) : given(::given(a, 1)) {
        const int n = (int)a.ndim();
        const int64_t rows = a.shape(-2), columns = a.shape(-1), down = a.strides()[n - 2], right = a.strides()[n - 1];
        step = n == 3 && a.shape(0) > 1 ? a.strides()[0] : 0;
        given.dense = true;
        if ((right == 1 || columns == 1) && (rows == 1 || down >= columns)) line = rows == 1 ? columns : down;
        else if ((down == 1 || rows == 1) && (columns == 1 || right >= rows)) turned = true, line = columns == 1 ? rows : right;
        else given.dense = false, line = columns, step = rows * columns;
        line = std::max<int64_t>(line, 1);
    }
    const float *placed(std::unique_ptr<float[]> &copy) const {
        if (given.dense) return given.data;
        copy.reset(new float[std::max<int64_t>(given.size, 1)]);
        gather(given, copy.get());
        return copy.get();
    }
};

// (M, N) from (M, K) and (K, N), or as many of these products as a first axis has.
struct Multiplied : Operation<Multiplied> {
    static constexpr const char *NAME = "GanglionMatmul";
    static constexpr bool ANY_ORDER = true;
    using Operation::Operation;
    std::vector<mx::Shape> output_shapes(const Arrays &x) override {
        mx::Shape shape = x[0].shape();
        shape.back() = x[1].shape(-1);
        return {shape};
    }
    Task task(const Arrays &x, const array &out) const {
        const int m = x[0].shape(-2), k = x[0].shape(-1), n = x[1].shape(-1), times = x[0].ndim() == 3 ? x[0].shape(0) : 1;
        return [=, a = Matrices(x[0]), b = Matrices(x[1])](auto &, float *to) {
            if (!k) {
                std::fill_n(to, (int64_t)times * m * n, 0.0f);
                return;
            }
            std::unique_ptr<float[]> first, second;
            const float *left = a.placed(first), *right = b.placed(second);
            const float one = 1, none = 0;
            const int lda = (int)a.line, ldb = (int)b.line;
            if (times == 1 && !a.turned && !b.turned && tiles_well(m, k, n)) {
                tiled_product(left, a.line, right, b.line, to, m, k, n);
                return;
            }
            // Column after column, as Fortran reads them, these are the transposed matrices.
            for (int i = 0; i < times; i++)
                sgemm(b.turned ? "T" : "N", a.turned ? "T" : "N", &n, &m, &k, &one, right + i * b.step, &ldb,
                      left + i * a.step, &lda, &none, to + (int64_t)i * m * n, &n);
        };
    }
    static array turned(const array &a, mx::Stream s) { return mx::swapaxes(a, -1, -2, s); }
    Arrays vjp(const Arrays &x, const Arrays &c, const std::vector<int> &which, const Arrays &) override {
        Arrays found;
        for (int k : which)
            found.push_back(k == 0 ? made(stream(), {c[0], turned(x[1], stream())}, 0)
                                   : made(stream(), {turned(x[0], stream()), c[0]}, 0));
        return found;
    }
    Arrays jvp(const Arrays &x, const Arrays &t, const std::vector<int> &which) override {
        Arrays found;
        for (size_t i = 0; i < which.size(); i++)
            found.push_back(which[i] == 0 ? made(stream(), {t[i], x[1]}, 0) : made(stream(), {x[0], t[i]}, 0));
        return {found.size() == 1 ? found[0] : mx::add(found[0], found[1], stream())};
    }
    Mapped vmap(const Arrays &x, const std::vector<int> &axes) override {
        const auto s = stream();
        array a = in_front(x[0], axes[0], s), b = in_front(x[1], axes[1], s);
        const int n = axes[0] >= 0 ? a.shape(0) : b.shape(0), one = (int)x[0].ndim() - (axes[0] >= 0);
        if (axes[1] < 0 && one == 2) {  // more rows
            const array y = made(s, {mx::flatten(a, 0, 1, s), b}, 0);
            return {{mx::unflatten(y, 0, {n, y.shape(0) / n}, s)}, {0}};
        }
        const auto all = [&](const array &v, int axis) {  // (n, ...) and then as many matrices as there are
            mx::Shape shape = v.shape();
            if (axis < 0) shape.insert(shape.begin(), n);
            const array found = axis < 0 ? mx::broadcast_to(v, shape, s) : v;
            return one == 2 ? found : mx::flatten(found, 0, 1, s);
        };
        const array y = made(s, {all(a, axes[0]), all(b, axes[1])}, 0);
        return {{one == 2 ? y : mx::unflatten(y, 0, {n, y.shape(0) / n}, s)}, {0}};
    }
};

// Sums over synapses, from rows and index arrays: linear in each array of floats. Their gradients are others of
// the four, which Python knows.
enum { MASKED, BY_SYNAPSE, SEGMENTS, EXPAND };
struct Listed : Operation<Listed> {
    static constexpr const char *NAME = "GanglionSynapses";
    using Operation::Operation;
    std::vector<mx::Shape> output_shapes(const Arrays &x) override {
        if (what == BY_SYNAPSE) return {x[2].shape()};
        const int length = what == MASKED ? x[2].shape(0) - 1 : what == SEGMENTS ? x[1].shape(0) - 1 : x[1].shape(0);
        return {{x[0].shape(0), length}};
    }
    Task task(const Arrays &x, const array &out) const {
        const int64_t rows = x[0].shape(0), n = x[0].shape(1), m = out.shape(-1);
        if (what == BY_SYNAPSE)
            return [=, other = (int64_t)x[1].shape(1)](auto &from, float *to) {
                const int64_t shares = std::min<int64_t>(SHARES, (rows + LANES - 1) / LANES);
                std::vector<float> sums(shares * m);
                std::vector<void *> arrays(from.begin(), from.end());
                arrays.push_back(sums.data());
                spread(synapse_sums, {n, other, m, shares}, {}, arrays, rows, (rows + shares - 1) / shares);
                for (int64_t k = 0; k < m; k++) {
                    float sum = sums[k];
                    for (int64_t i = 1; i < shares; i++) sum += sums[i * m + k];
                    to[k] = sum;
                }
            };
        const KernelFunction f = what == MASKED ? masked_part : what == SEGMENTS ? segment_part : expand_part;
        const int64_t together = what == MASKED ? LANES : SOME_ROWS;
        return [=](auto &from, float *to) {
            std::vector<void *> arrays(from.begin(), from.end());
            arrays.push_back(to);
            spread(f, {n, m}, {}, arrays, rows, together);
        };
    }
    Arrays jvp(const Arrays &x, const Arrays &t, const std::vector<int> &which) override {
        std::optional<array> sum;
        for (size_t i = 0; i < which.size(); i++) {
            Arrays all = x;
            all[which[i]] = t[i];
            const array part = made(stream(), all, what, numbers);
            sum = sum ? mx::add(*sum, part, stream()) : part;
        }
        return {*sum};
    }
};

enum OperationKind { CURVE, ROWWISE, REDUCE, DRAW, MULTIPLY, LISTED, PAIR, JOIN };
static array operation(int kind, int what, const std::vector<float> &numbers, const mx::Shape &shape, const Arrays &given) {
    const auto s = mx::default_stream(mx::default_device());
    switch (kind) {
        case CURVE: return Curved::made(s, given, what, numbers);
        case ROWWISE: return Rows::made(s, given, what, numbers);
        case REDUCE: return Reduced::made(s, given, what, numbers);
        case DRAW: return Draw::made(s, given, what, numbers, shape);
        case PAIR: return Paired::made(s, given, what);
        case JOIN: return Joined::made(s, given, what);
        case LISTED: return Listed::made(s, given, what);
        default: return Multiplied::made(s, given, what);
    }
}

extern "C" {

void ganglion_equip(void *pool, void *blas) {
    shared_pool = (Pool)pool;
    sgemm = (Sgemm)blas;
}

// Puts the result of an operation into the object `made`, for MLX to compute later. If a transformation follows the call
// and `follow` is 0, does nothing but say so. Returns as `ganglion_call` does.
int ganglion_operation(int kind, int what, const float *numbers, int64_t n_numbers, const int *shape, int64_t axes,
                       void *const *objects, int64_t n, void *made, int64_t threads, int follow, char *error, int64_t room) {
    try {
        if (failed_late.exchange(false)) return FAILED_BEFORE;
        if (!follow && transformed()) return FOLLOWED;
        shared_threads = threads;
        Arrays inputs;
        if (const int wrong = gather(objects, n, inputs)) return wrong;
        array_of(made)->overwrite_descriptor(operation(kind, what, {numbers, numbers + n_numbers},
                                                       {shape, shape + axes}, inputs));
        return DONE;
    } catch (const std::exception &e) {
        return told(e, error, room);
    }
}
}
