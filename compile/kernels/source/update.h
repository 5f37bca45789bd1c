// A step of an optimizer over all parameters of a model as one node of MLX's graph. It computes what the optimizers of
// `mlx.optimizers` do, number by number and rounding by rounding: products are not contracted with sums, which
// `nodes.py` tells the compiler.
#ifdef __clang__
#define ROUNDED __attribute__((noinline))
#else
#define ROUNDED __attribute__((noinline, optimize("O3", "fp-contract=off", "no-math-errno", "no-trapping-math")))
#endif

enum Rule { ADAM, SGD };
// numbers: b1, 1 - b1, b2, 1 - b2, eps, whether the bias is corrected, weight decay, whether there is any.
ROUNDED static void adam(const float *n, float rate, float step, const float *__restrict p, const float *__restrict g,
                         const float *__restrict m, const float *__restrict v, float *__restrict to,
                         float *__restrict m_to, float *__restrict v_to, int64_t size) {
    const bool corrected = n[5] != 0;
    const float first = corrected ? rate / (1.0f - std::pow(n[0], step)) : rate;
    const float second = corrected ? 1.0f / std::sqrt(1.0f - std::pow(n[2], step)) : 1.0f;
    const float kept = n[7] != 0 ? 1.0f - rate * n[6] : 1.0f;
    for (int64_t i = 0; i < size; i++) {
        const float mean = n[0] * m[i] + n[1] * g[i], square = n[2] * v[i] + n[3] * (g[i] * g[i]);
        m_to[i] = mean;
        v_to[i] = square;
        to[i] = p[i] * kept - first * mean / (std::sqrt(square) * second + n[4]);
    }
}

// numbers: momentum, weight decay, 1 - dampening, whether it is Nesterov's.
ROUNDED static void sgd(const float *n, float rate, const float *__restrict p, const float *__restrict g, const float *__restrict v, float *__restrict to,
                        float *__restrict v_to, int64_t size) {
    for (int64_t i = 0; i < size; i++) {
        const float slope = n[1] != 0 ? g[i] + n[1] * p[i] : g[i];
        const float speed = n[0] > 0 ? n[0] * v[i] + n[2] * slope : v[i];
        v_to[i] = speed;
        to[i] = p[i] - rate * (n[0] > 0 ? (n[3] != 0 ? slope + n[0] * speed : speed) : slope);
    }
}

struct Flat : mx::Primitive {
    using Primitive::Primitive;
    static float *numbers_of(const array &a) {
        if (!a.flags().row_contiguous) throw std::runtime_error("a flat array does not lie number after number");
        return data_of(a);
    }
    void eval_gpu(const Arrays &, Arrays &) override {
        throw std::runtime_error("a kernel of the processor cannot run on a GPU");
    }
};

// The arrays that lie one behind the other in a flat one, where they are.
struct Parts : Flat {
    using Flat::Flat;
    const char *name() const override { return "GanglionParts"; }
    bool is_equivalent(const Primitive &) const override { return false; }  // shapes may differ
    void eval_cpu(const Arrays &inputs, Arrays &outputs) override {
        int64_t offset = 0;
        numbers_of(inputs[0]);
        for (auto &o : outputs) {
            auto strides = o.strides();
            auto flags = o.flags();
            flags.contiguous = flags.row_contiguous = true;
            flags.col_contiguous = o.ndim() < 2;
            o.copy_shared_buffer(inputs[0], strides, flags, o.size(), offset);
            offset += o.size();
        }
    }
};

// inputs: learning rate, the new step, parameters and states (each flat), then the gradient of each parameter.
struct Update : Flat {
    int rule;
    std::vector<float> numbers;
    std::vector<bool> clipped;  // at zero, of each parameter
    Update(mx::Stream s, int rule, std::vector<float> numbers, std::vector<bool> clipped)
        : Flat(s), rule(rule), numbers(std::move(numbers)), clipped(std::move(clipped)) {}
    const char *name() const override { return "GanglionUpdate"; }
    bool is_equivalent(const Primitive &primitive) const override {
        auto &other = (const Update &)primitive;
        return rule == other.rule && numbers == other.numbers && clipped == other.clipped;
    }
    int states() const { return rule == ADAM ? 2 : 1; }

    void eval_cpu(const Arrays &inputs, Arrays &outputs) override {
        const int n = 1 + states();
        const float *from[3];
        float *to[3];
        for (int k = 0; k < n; k++) {
            set_plain(outputs[k]);
            to[k] = data_of(outputs[k]);
            from[k] = numbers_of(inputs[2 + k]);
        }
        std::vector<Given> gradients;
        for (size_t i = 2 + n; i < inputs.size(); i++) gradients.push_back(given(inputs[i], 1));
        mx::cpu::get_command_encoder(stream()).dispatch(
            [=, rule = rule, numbers = numbers, clipped = clipped, gradients = std::move(gradients),
             rate = data_of(inputs[0]), step = inputs[1].data<uint64_t>()] {
                int64_t at = 0;
                std::vector<float> copy;
                for (size_t i = 0; i < gradients.size(); i++) {
                    const Given &g = gradients[i];
                    const float *slope = g.data;
                    if (!g.dense) {
                        copy.resize(g.size);
                        gather(g, copy.data());
                        slope = copy.data();
                    }
                    if (rule == ADAM)
                        adam(numbers.data(), *rate, (float)*step, from[0] + at, slope, from[1] + at, from[2] + at,
                             to[0] + at, to[1] + at, to[2] + at, g.size);
                    else
                        sgd(numbers.data(), *rate, from[0] + at, slope, from[1] + at, to[0] + at, to[1] + at, g.size);
                    if (clipped[i])  // as MLX's maximum, which lets NaN through
                        for (float *p = to[0] + at, *end = p + g.size; p < end; p++) *p = *p > 0 || *p != *p ? *p : 0.0f;
                    at += g.size;
                }
            });
    }
};
