// What Python calls, through ctypes: arrays come as the addresses of their Python objects.
static int64_t header = 0;           // bytes of a Python object's head
static void *array_type = nullptr;   // mlx.core.array

// The array in an object of nanobind, whose layout has not changed in years; `ganglion_look` lets Python compare.
static array *array_of(void *object) {
    void *type;
    std::memcpy(&type, (char *)object + header - sizeof(void *), sizeof(void *));
    if (type != array_type) return nullptr;
    int32_t offset;
    uint32_t state;  // two bits: ready; one: whether the array lies in the object or is pointed to
    std::memcpy(&offset, (char *)object + header, 4);
    std::memcpy(&state, (char *)object + header + 4, 4);
    char *const place = (char *)object + offset;
    return state & 4 ? (array *)place : *(array **)place;
}

// The arrays in objects, or the first object without one, counted from 1; 0 if all have theirs.
static int gather(void *const *objects, int64_t n, Arrays &arrays) {
    arrays.reserve(n);
    for (int64_t i = 0; i < n; i++) {
        const array *a = array_of(objects[i]);
        if (!a) return (int)i + 1;
        arrays.push_back(*a);
    }
    return 0;
}

// The first array that is not of the declared size and type, counted from 1; 0 if all are.
static int misfit(const Pair &pair, const Arrays &inputs, int64_t members) {
    const size_t n = pair.values.size();
    const int64_t all = inputs[n].ndim() ? inputs[n].shape(0) : 0;
    for (size_t i = 0; i < inputs.size(); i++) {
        const array &a = inputs[i];
        int64_t expected;
        if (i < n) expected = pair.values[i] * members;
        else expected = product(pair.rows[i - n]) * (a.ndim() && a.shape(0) == 1 ? 1 : all);
        if ((int64_t)a.size() != expected || a.dtype() != mx::float32) return (int)i + 1;
    }
    return all < 1 || all % members ? (int)n + 1 : 0;
}

// Results at once.
static Arrays computed(const Kernels &pair, const Arrays &inputs, int64_t members, int64_t threads) {
    const size_t n = pair->values.size();
    const int all = inputs[n].shape(0);
    std::vector<Given> read;
    for (size_t i = 0; i < inputs.size(); i++) {
        read.push_back(given(inputs[i], members));
        if (i < n || inputs[i].shape(0) == all) continue;
        Given &one = read.back();  // one row for the whole batch
        one.dense = false;
        one.shape[0] = all;
        one.strides[0] = 0;
        one.size *= all;
        one.step = one.size / members;
    }
    return at_once(pair, std::move(read), members, all / members, threads, {all});
}

// One row for the whole batch. Where it has values, nothing is left for MLX to do.
static array repeated(const array &row, const mx::Shape &shape, mx::Stream stream) {
    if (!row.is_available() || row.is_tracer()) return mx::broadcast_to(row, shape, stream);
    array found(shape, mx::float32, nullptr, {});
    mx::Strides strides = row.strides();
    strides[0] = 0;
    array::Flags flags = row.flags();
    flags.row_contiguous = flags.col_contiguous = false;
    found.copy_shared_buffer(row, strides, flags, row.data_size());
    found.set_status(array::Status::available);
    return found;
}

static Arrays lazy(const Kernels &pair, Arrays inputs, int64_t members, int64_t threads) {
    const auto stream = mx::default_stream(mx::Device::cpu);  // which a Mac's default device is not
    const size_t n = pair->values.size();
    const int all = inputs[n].shape(0);
    for (size_t i = n; i < inputs.size(); i++) {
        mx::Shape shape = inputs[i].shape();
        if (shape[0] == all) continue;
        shape[0] = all;
        inputs[i] = repeated(inputs[i], shape, stream);
    }
    return Forward::made(stream, pair, members, threads, Common(pair->rows.size(), false), inputs);
}

enum { DONE = 0, NO_MEMORY = -1, FAILED = -2, FOLLOWED = -3, FAILED_BEFORE = -4 };

// The code of an error that was thrown, and its words if the code does not say it all.
static int told(const std::exception &e, char *error, int64_t room) {
    if (dynamic_cast<const std::bad_alloc *>(&e)) return NO_MEMORY;
    std::strncpy(error, e.what(), room - 1);
    error[room - 1] = 0;
    return FAILED;
}

extern "C" {

const char *ganglion_mlx() { return mx::version(); }
const char *ganglion_built_for() {
    static const std::string text = std::to_string(MLX_VERSION_MAJOR) + "." + std::to_string(MLX_VERSION_MINOR) + "." +
                                    std::to_string(MLX_VERSION_PATCH);
    return text.c_str();
}

void ganglion_begin(int64_t head, void *type, void *save, void *restore) {
    header = head;
    array_type = type;
    save_thread = (void *(*)())save;
    restore_thread = (void (*)(void *))restore;
}

// What an object is taken for: number of elements, of axes, the first axis, the sum of its values in thousandths.
int ganglion_look(void *object, int64_t *found) {
    const array *a = array_of(object);
    if (!a) return 1;
    found[0] = a->size();
    found[1] = a->ndim();
    found[2] = a->ndim() ? a->shape(0) : 0;
    double sum = 0;
    for (int64_t i = 0; i < found[0]; i++) sum += a->data<float>()[i];
    found[3] = (int64_t)std::llround(1000 * sum);
    return 0;
}

void *ganglion_index(const int64_t *declared) {
    Words words{declared};
    Index found;
    for (int64_t n = words.one(); n > 0; n--) {
        const int32_t *from = (const int32_t *)words.one();
        const int64_t size = words.one();
        found.emplace_back(from, from + size);
    }
    return new std::shared_ptr<const Index>(std::make_shared<const Index>(std::move(found)));
}
void ganglion_drop_index(void *index) { delete (std::shared_ptr<const Index> *)index; }

void *ganglion_pair(const int64_t *declared, void *forward_index, void *backward_index) {
    Words words{declared};
    auto pair = std::make_shared<Pair>();
    void *const index[2] = {forward_index, backward_index};
    Half *const halves[2] = {&pair->forward, &pair->backward};
    for (int i = 0; i < 2; i++) {
        halves[i]->function = (KernelFunction)words.one();
        halves[i]->crew = (KernelFunction)words.one();
        for (auto &sizes : halves[i]->sizes) sizes = words.list();
        const float *numbers = (const float *)words.one();
        halves[i]->numbers.assign(numbers, numbers + words.one());
        halves[i]->index = *(std::shared_ptr<const Index> *)index[i];
    }
    pair->pool = (Pool)words.one();
    pair->lanes = words.one();
    pair->saved_most = words.one();
    pair->values = words.list();
    for (auto *shapes : {&pair->rows, &pair->results})
        for (int64_t n = words.one(); n > 0; n--) {
            const Whole dims = words.list();
            shapes->push_back(mx::Shape(dims.begin(), dims.end()));
        }
    for (auto *list : {&pair->saves, &pair->given, &pair->gradients, &pair->totals, &pair->total_of})
        *list = words.list();
    return new Kernels(std::move(pair));
}
void ganglion_drop_pair(void *pair) { delete (Kernels *)pair; }

// Puts results into the objects `made`. If a transformation follows the call and `follow` is 0, does nothing but say so.
// Returns one of the words above, or which input does not fit, counted from 1.
int ganglion_call(void *pair, void *const *objects, int64_t n, void *const *made, int64_t n_made, int64_t members,
                  int64_t threads, int follow, char *error, int64_t room) {
    const Kernels &kernels = *(Kernels *)pair;
    try {
        if (failed_late.exchange(false)) return FAILED_BEFORE;
        Arrays inputs;
        if (const int wrong = gather(objects, n, inputs)) return wrong;
        if (const int wrong = misfit(*kernels, inputs, members)) return wrong;
        if (!follow && transformed()) return FOLLOWED;
        Arrays found;
        if (follow) {
            found = lazy(kernels, std::move(inputs), members, threads);
        } else {
            const auto there = [](const array &a) { return a.is_available(); };
            if (!std::all_of(inputs.begin(), inputs.end(), there)) {
                Released released;
                mx::eval(inputs);
            }
            found = computed(kernels, inputs, members, threads);
        }
        for (int64_t i = 0; i < n_made; i++) array_of(made[i])->overwrite_descriptor(found[i]);
        return DONE;
    } catch (const std::exception &e) {
        return told(e, error, room);
    }
}

// Puts the arrays of these shapes that lie in a flat one into the objects `made`.
int ganglion_parts(void *flat, const int64_t *declared, void *const *made, char *error, int64_t room) {
    try {
        Words words{declared};
        std::vector<mx::Shape> shapes;
        for (int64_t n = words.one(); n > 0; n--) {
            const Whole dims = words.list();
            shapes.push_back(mx::Shape(dims.begin(), dims.end()));
        }
        Arrays inputs;
        if (const int wrong = gather(&flat, 1, inputs)) return wrong;
        const auto node = std::make_shared<Parts>(mx::default_stream(mx::Device::cpu));
        const Arrays found = array::make_arrays(shapes, std::vector<mx::Dtype>(shapes.size(), mx::float32), node, inputs);
        for (size_t i = 0; i < found.size(); i++) array_of(made[i])->overwrite_descriptor(found[i]);
        return DONE;
    } catch (const std::exception &e) {
        return told(e, error, room);
    }
}

// Puts the parameters and states behind a step of an optimizer, all flat, into the objects `made`.
int ganglion_update(int rule, const float *numbers, int64_t n_numbers, const uint8_t *clipped, int64_t parameters,
                    void *const *objects, int64_t n, void *const *made, char *error, int64_t room) {
    try {
        Arrays inputs;
        if (const int wrong = gather(objects, n, inputs)) return wrong;
        const auto node = std::make_shared<Update>(mx::default_stream(mx::Device::cpu), rule,
            std::vector<float>(numbers, numbers + n_numbers), std::vector<bool>(clipped, clipped + parameters));
        const std::vector<mx::Shape> shapes(1 + node->states(), inputs[2].shape());
        const Arrays found = array::make_arrays(shapes, std::vector<mx::Dtype>(shapes.size(), mx::float32), node, inputs);
        for (size_t i = 0; i < found.size(); i++) array_of(made[i])->overwrite_descriptor(found[i]);
        return DONE;
    } catch (const std::exception &e) {
        return told(e, error, room);
    }
}

// Whether two lists of objects hold the same arrays: what is done in place puts another array into the same object.
int ganglion_same(void *const *some, void *const *others, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const array *one = array_of(some[i]), *other = array_of(others[i]);
        if (!one || !other || one->id() != other->id()) return 0;
    }
    return 1;
}

void ganglion_forget() { spare().forget(); }

// A pair that needs no other compiler: out = w x for each row, with one number w and rows of two.
int ganglion_trial_forward(const int64_t *, const float *, void *const *arrays, int64_t batch, int64_t *next) {
    const float *w = (float *)arrays[0], *x = (float *)arrays[1];
    float *out = (float *)arrays[2];
    for (int64_t b; (b = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) < batch;)
        for (int i = 0; i < 2; i++) out[2 * b + i] = w[0] * x[2 * b + i];
    return 0;
}
int ganglion_trial_backward(const int64_t *, const float *, void *const *arrays, int64_t batch, int64_t *next) {
    const float *w = (float *)arrays[0], *x = (float *)arrays[1], *d_out = (float *)arrays[2];
    float *d_x = (float *)arrays[3], *d_w = (float *)arrays[4];
    for (int64_t b; (b = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) < batch;) {
        d_w[b] = x[2 * b] * d_out[2 * b] + x[2 * b + 1] * d_out[2 * b + 1];
        for (int i = 0; i < 2; i++) d_x[2 * b + i] = w[0] * d_out[2 * b + i];
    }
    return 0;
}
int ganglion_alone(KernelFunction function, const int64_t *sizes, const float *numbers, void *const *arrays,
                   int64_t batch, int) {
    int64_t next = 0;
    return function(sizes, numbers, arrays, batch, &next);
}
}
