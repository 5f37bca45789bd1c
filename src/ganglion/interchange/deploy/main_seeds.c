    if (count > 1 + NAME_seeds) {
        fprintf(stderr, "NAME: %.60s: expected at most %d seeds, and samples on standard input\n", words[count - 1],
                NAME_seeds);
        return 2;
    }
    NAME_reset(&state);
    for (int k = 1; k < count; k++) {
        char *rest;
        const char *const word = words[k];
        errno = 0;
        const unsigned long seed = strtoul(word, &rest, 10);
        if (word[0] < '0' || word[0] > '9' || *rest || errno || seed > 4294967295UL) {
            fprintf(stderr, "NAME: %.60s: expected a seed, a whole number from 0 to 4294967295\n", word);
            return 2;
        }
        state.seed[k - 1] = (uint32_t)seed;
    }
