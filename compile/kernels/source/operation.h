// What is common to operations on whole arrays: each is a node of MLX's graph with one result.

static Pool shared_pool = nullptr;
static std::atomic<int64_t> shared_threads{1};

// A kernel over `n` of something, of which `together` make a part.
static void spread(KernelFunction function, const Whole &sizes, const std::vector<float> &numbers,
                   std::vector<void *> arrays, int64_t n, int64_t together) {
    const int64_t parts = (n + together - 1) / together, threads = std::min<int64_t>(parts, shared_threads);
    int64_t next = 0;
    if (threads < 2 ? function(sizes.data(), numbers.data(), arrays.data(), n, &next)
                    : shared_pool(function, sizes.data(), numbers.data(), arrays.data(), n, (int)threads - 1))
        throw std::bad_alloc();
}

// Node: one result, from float32 arrays that lie row after row. `Self` says what it computes, of which shape.
template <class Self> struct Operation : mx::UnaryPrimitive {
    int what;
    std::vector<float> numbers;
    Operation(mx::Stream s, int what, std::vector<float> numbers)
        : UnaryPrimitive(s), what(what), numbers(std::move(numbers)) {}
    const char *name() const override { return Self::NAME; }
    bool is_equivalent(const Primitive &primitive) const override {
        auto &other = (const Self &)primitive;
        return what == other.what && numbers == other.numbers;
    }
    void eval_gpu(const Arrays &, array &) override {
        throw std::runtime_error("an operation of the processor cannot run on a GPU: pass stream=mx.cpu");
    }
    void eval_cpu(const Arrays &inputs, array &out) override {
        set_plain(out);
        std::vector<float *> read;
        for (auto &a : inputs) read.push_back(data_of(a));
        float *const to = data_of(out);
        const int64_t size = out.size();
        // The task holds shapes, but no array: MLX keeps those for as long as it may run.
        mx::cpu::get_command_encoder(stream()).dispatch(
            [task = ((Self *)this)->task(inputs, out), read = std::move(read), to, size] {
                try {
                    if (size) task(read, to);
                } catch (...) {
                    failed_late = true;
                    std::fill_n(to, size, NAN);
                }
            });
    }
    static array made(mx::Stream s, const Arrays &given, int what, std::vector<float> numbers = {},
                      const mx::Shape &shape = {}) {
        Arrays inputs;
        for (auto &a : given) inputs.push_back(Self::ANY_ORDER ? a : mx::contiguous(a, false, s));
        auto node = std::make_shared<Self>(s, what, std::move(numbers));
        node->shape = shape;
        const mx::Shape found = node->output_shapes(inputs)[0];
        return array(found, mx::float32, node, std::move(inputs));
    }
    mx::Shape shape;  // of a result that does not follow from the inputs
    static constexpr bool ANY_ORDER = false;
};
typedef std::function<void(const std::vector<float *> &, float *)> Task;

// (n, ...) of an input that may have its mapped axis anywhere.
static array in_front(const array &a, int axis, mx::Stream s) { return axis < 0 ? a : mx::moveaxis(a, axis, 0, s); }
