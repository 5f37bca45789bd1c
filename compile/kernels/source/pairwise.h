// Sums and products of two arrays, and products to which a third is added; arrays one behind the other; products of
// matrices by vectors of AVX-512, which the BLAS of SciPy does not use on every processor that has them.

enum Pairwise { SUM_OF_TWO, PRODUCT_OF_TWO };

// arrays: a, b, [d], c. sizes: which of the two, how long the rows are that have one number of b each, or 0 for all its
// own, and whether there is d: c = a b + d.
static int pair_part(const int64_t *sizes, const float *, void *const *arrays, int64_t n, int64_t *next) {
    const float *a = (float *)arrays[0], *b = (float *)arrays[1], *d = sizes[2] ? (float *)arrays[2] : nullptr;
    float *c = (float *)arrays[2 + sizes[2]];
    const bool product = sizes[0] == PRODUCT_OF_TWO;
    const int64_t row = sizes[1];
    const auto found = [=](auto x, auto y, auto z) { return d ? x * y + z : product ? x * y : x + y; };
    TAKE(first, PIECE, n) for (int64_t i = first, last = std::min(n, first + PIECE); i < last;) {
        const int64_t end = row ? std::min(last, (i / row + 1) * row) : last;
        const float one = row ? b[i / row] : 0.0f;
        for (; i + LANES <= end; i += LANES)
            put(c + i, found(load(a + i), row ? splat(one) : load(b + i), d ? load(d + i) : splat(0.0f)));
        for (; i < end; i++) c[i] = found(a[i], row ? one : b[i], d ? d[i] : 0.0f);
    }
    return 0;
}

struct Paired : Operation<Paired> {
    static constexpr const char *NAME = "GanglionPaired";
    using Operation::Operation;
    std::vector<mx::Shape> output_shapes(const Arrays &inputs) override { return {inputs[0].shape()}; }
    Task task(const Arrays &x, const array &out) const {
        const int64_t row = alike(x) ? 0 : x[0].shape(-1);
        return [row, what = (int64_t)what, n = (int64_t)out.size()](auto &from, float *to) {
            std::vector<void *> arrays(from.begin(), from.end());
            arrays.push_back(to);
            spread(pair_part, {what, row, (int64_t)from.size() - 2}, {}, arrays, n, PIECE);
        };
    }
    static bool alike(const Arrays &x) { return x[0].shape() == x[1].shape(); }
    Arrays vjp(const Arrays &x, const Arrays &c, const std::vector<int> &which, const Arrays &) override {
        const auto s = stream();
        Arrays found;
        for (int k : which) {
            array by = what == SUM_OF_TWO || k == 2 ? c[0] : made(s, {c[0], x[1 - k]}, what);
            found.push_back(k != 1 || alike(x) ? by : mx::sum(by, -1, true, s));
        }
        return found;
    }
    Arrays jvp(const Arrays &x, const Arrays &t, const std::vector<int> &which) override {
        const auto s = stream();
        Arrays found;
        for (size_t i = 0; i < which.size(); i++) {
            const int k = which[i];
            if (what == SUM_OF_TWO || k == 2) found.push_back(mx::broadcast_to(t[i], x[0].shape(), s));
            else found.push_back(k == 0 ? made(s, {t[i], x[1]}, what) : made(s, {x[0], t[i]}, what));
            if (i) found = {made(s, found, SUM_OF_TWO)};
        }
        return found;
    }
    Mapped vmap(const Arrays &x, const std::vector<int> &axes) override {
        const auto s = stream();
        const array a = in_front(x[0], axes[0], s), b = in_front(x[1], axes[1], s);
        const array found = what == SUM_OF_TWO ? mx::add(a, b, s) : mx::multiply(a, b, s);
        return {{x.size() < 3 ? found : mx::add(found, in_front(x[2], axes[2], s), s)}, {0}};
    }
};

// arrays: parts, and the whole. sizes: numbers in a row of the whole, how many parts, and numbers in a row of each.
static int joined_part(const int64_t *sizes, const float *, void *const *arrays, int64_t total, int64_t *next) {
    const int64_t n = sizes[0], *const lengths = sizes + 2;
    float *const whole = (float *)arrays[sizes[1]];
    TAKE(first, PIECE, total) for (int64_t at = first, end = std::min(total, first + PIECE); at < end;) {
        int64_t within = at % n, k = 0;
        while (within >= lengths[k]) within -= lengths[k++];
        const int64_t many = std::min(end - at, lengths[k] - within);
        memcpy(whole + at, (float *)arrays[k] + at / n * lengths[k] + within, 4 * many);
        at += many;
    }
    return 0;
}

// Arrays one behind the other; `what` is the axis.
struct Joined : Operation<Joined> {
    static constexpr const char *NAME = "GanglionJoined";
    using Operation::Operation;
    std::vector<mx::Shape> output_shapes(const Arrays &inputs) override {
        mx::Shape shape = inputs[0].shape();
        for (size_t i = 1; i < inputs.size(); i++) shape[what] += inputs[i].shape(what);
        return {shape};
    }
    Task task(const Arrays &inputs, const array &out) const {
        int64_t rows = 1;
        for (int k = 0; k < what; k++) rows *= out.shape(k);
        Whole sizes = {(int64_t)out.size() / std::max<int64_t>(rows, 1), (int64_t)inputs.size()};
        for (auto &a : inputs) sizes.push_back(a.size() / std::max<int64_t>(rows, 1));
        return [sizes, total = (int64_t)out.size()](auto &from, float *to) {
            std::vector<void *> arrays(from.begin(), from.end());
            arrays.push_back(to);
            spread(joined_part, sizes, {}, arrays, total, PIECE);
        };
    }
    Arrays vjp(const Arrays &x, const Arrays &c, const std::vector<int> &which, const Arrays &) override {
        std::vector<int> cuts;
        for (int at = 0, i = 0; i + 1 < (int)x.size(); i++) cuts.push_back(at += x[i].shape(what));
        const Arrays parts = x.size() > 1 ? mx::split(c[0], mx::Shape(cuts.begin(), cuts.end()), what, stream()) : c;
        Arrays found;
        for (int k : which) found.push_back(parts[k]);
        return found;
    }
    Arrays jvp(const Arrays &x, const Arrays &t, const std::vector<int> &which) override {
        Arrays tangents;
        for (auto &a : x) tangents.push_back(mx::zeros_like(a, stream()));
        for (size_t i = 0; i < which.size(); i++) tangents[which[i]] = t[i];
        return {made(stream(), tangents, what)};
    }
    Mapped vmap(const Arrays &x, const std::vector<int> &axes) override {
        int n = 1;
        for (size_t i = 0; i < x.size(); i++)
            if (axes[i] >= 0) n = x[i].shape(axes[i]);
        Arrays all;
        for (size_t i = 0; i < x.size(); i++) {
            mx::Shape shape = x[i].shape();
            if (axes[i] < 0) shape.insert(shape.begin(), n);
            all.push_back(axes[i] < 0 ? mx::broadcast_to(x[i], shape, stream()) : in_front(x[i], axes[i], stream()));
        }
        return {{made(stream(), all, what + 1)}, {0}};
    }
};

// Products of matrices: TILE rows by two vectors of columns stay in registers. The matrix on the right is packed into
// panels of that width, the rows of a band so that those of a tile lie side by side.
static const int64_t TILE = 12, BAND = 48, PANEL = 2 * LANES, DEEPEST = 1024;

static void pack_panels(const float *b, int64_t line, int64_t depth, int64_t n, float *panels) {
    for (int64_t first = 0; first < n; first += PANEL)
        for (int64_t i = 0; i < depth; i++, panels += PANEL)
            memcpy(panels, b + i * line + first, 4 * std::min(PANEL, n - first));
}

static __attribute__((noinline)) void product_tile(const float *left, const float *panel, int64_t depth, float *to,
                                                   int64_t n, int64_t rows, int64_t columns) {
    real sum[TILE][2] = {};
    for (int64_t i = 0; i < depth; i++, left += TILE, panel += PANEL) {
        const real first = load(panel), second = load(panel + LANES);
        _Pragma("GCC unroll 12") for (int r = 0; r < TILE; r++) {
            sum[r][0] += left[r] * first;
            sum[r][1] += left[r] * second;
        }
    }
    for (int64_t r = 0; r < rows; r++, to += n) {
        put(to, sum[r][0], columns);
        if (columns > LANES) put(to + LANES, sum[r][1], columns - LANES);
    }
}

// arrays: a, panels of b, c. sizes: from row to row of a, its width, the width of c.
static int product_part(const int64_t *sizes, const float *, void *const *arrays, int64_t rows, int64_t *next) {
    const int64_t line = sizes[0], depth = sizes[1], n = sizes[2];
    const float *const a = (float *)arrays[0], *const panels = (float *)arrays[1];
    const std::unique_ptr<float[]> packed(new (std::nothrow) float[BAND * depth]());
    if (!packed) return 1;
    TAKE(first, BAND, rows) {
        const int64_t end = std::min(rows, first + BAND);
        for (int64_t r = first; r < end; r++) {
            float *to = packed.get() + (r - first) / TILE * TILE * depth + (r - first) % TILE;
            for (int64_t i = 0; i < depth; i++) to[i * TILE] = a[r * line + i];
        }
        for (int64_t column = 0; column < n; column += PANEL)
            for (int64_t r = first; r < end; r += TILE)
                product_tile(packed.get() + (r - first) * depth, panels + column * depth, depth,
                             (float *)arrays[2] + r * n + column, n, std::min(TILE, end - r), std::min(PANEL, n - column));
    }
    return 0;
}

// Whether that is faster than the BLAS, for (m, k) by (k, n).
static bool tiles_well(int64_t m, int64_t k, int64_t n) {
    return LANES == 16 && m >= BAND && n >= PANEL && k >= PANEL && k <= DEEPEST;
}

static void tiled_product(const float *a, int64_t line, const float *b, int64_t line_b, float *to, int64_t m, int64_t k,
                          int64_t n) {
    std::vector<float> panels((n + PANEL - 1) / PANEL * PANEL * k);
    pack_panels(b, line_b, k, n, panels.data());
    spread(product_part, {line, k, n}, {}, {(void *)a, panels.data(), to}, m, BAND);
}
