    if (count > 1) {
        fprintf(stderr, "NAME: %.60s: expected no argument, and samples on standard input\n", words[1]);
        return 2;
    }
    NAME_reset(&state);
