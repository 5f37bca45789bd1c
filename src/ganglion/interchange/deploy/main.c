#ifdef NAME_MAIN
#include <errno.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// One sample per line: numbers with commas between them. Whatever is wrong ends the program with one line and 2.
static long NAME_line = 1;
static int NAME_named;  // whether there was a header
enum { NAME_longest = 255 };  // characters of a cell
static const char *const NAME_columns[] = {@columns@};  // names in a header; empty if any will do
enum { NAME_only = @only@ };  // whether no others will do, or those of a generator at least not in another's place

// Says where a cell is and the first of its characters, without those that move a terminal.
static void NAME_quote(int column, const char *text) {
    fprintf(stderr, "NAME: line %ld, column %d: '", NAME_line, column);
    for (int i = 0; text[i] && i < 60; i++) {
        fputc((unsigned char)text[i] < 32 || text[i] == 127 ? '?' : text[i], stderr);
    }
    fputc('\'', stderr);
}

static int NAME_refuse(int column, const char *text, const char *expected) {
    if (column) NAME_quote(column, text);
    else fprintf(stderr, "NAME: line %ld:", NAME_line);
    fprintf(stderr, " %s\n", expected);
    return 2;
}

// Reads a cell, without the spaces around it, and what ends it: a comma, a line's end or EOF. Returns 0 if it is too
// long and -1 if it is no text.
static int NAME_cell(char *text, int *end) {
    int length = 0, mark;
    for (mark = getchar(); mark != ',' && mark != '\n' && mark != EOF; mark = getchar()) {
        if (mark == 0) return -1;
        if (length == 0 && (mark == ' ' || mark == '\t')) continue;
        if (length == NAME_longest) return 0;
        text[length++] = (char)mark;
    }
    if (mark != ',' && length && text[length - 1] == '\r') length--;
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t')) length--;
    text[length] = 0;
    *end = mark;
    return 1;
}

// Whether a text is a number as a table has it, and which; what is missing is NaN.
static int NAME_parse(const char *text, double *value) {
    char *end;
    if (!*text || !strcmp(text, "nan") || !strcmp(text, "NaN") || !strcmp(text, "NA")) {
        *value = strtod("nan", &end);
        return 1;
    }
    if (text[strspn(text, "0123456789+-.eE")]) return 0;
    *value = strtod(text, &end);
    return !*end;
}

int main(int count, char **words) {
    static NAME_state state;
    static char text[NAME_longest + 1];
    static NAME_number given[NAME_inputs + 1], outputs[NAME_outputs];
    long samples = 0;
    int end = 0;
@begin@    for (; end != EOF; NAME_line++) {
        double value = 0.0, timespan = NAME_timespan;
        int column = 0, blank = 1, header = 0, numbers = 0, names = 0;
        do {
            const char *wanted = column < NAME_inputs ? NAME_columns[column] : "";
            column++;
            const int whole = NAME_cell(text, &end);
            if (whole < 0) return NAME_refuse(0, "", "a zero byte: expected text");
            if (whole == 0) return NAME_refuse(0, "", "a cell is longer than any number");
            if (NAME_line == 1 && column == 1 && !strncmp(text, "\xEF\xBB\xBF", 3)) {
                memmove(text, text + 3, strlen(text + 3) + 1);  // a byte-order mark
            }
            if (column == 1 && !*text && end != ',') continue;  // a blank line
            blank = 0;
            const int number = NAME_parse(text, &value);
            numbers += number && *text;
            names += !number;
            if (column == 1) header = samples == 0 && !NAME_named && !number;
            if (header) {
                if (number && *text) {
                    return NAME_refuse(column, text, "is a number beside names: expected a header or a sample");
                }
                int named = NAME_only;
                for (int k = 0; k < NAME_inputs; k++) named |= !strcmp(text, NAME_columns[k]);
                if (*wanted && named && strcmp(text, wanted)) {
                    NAME_quote(column, text);
                    fprintf(stderr, ": expected '%s'\n", wanted);
                    return 2;
                }
                continue;
            }
            if (column > NAME_inputs + 1) continue;
            if (!number) return NAME_refuse(column, text, "is no number");
            if (column <= NAME_inputs) {
                if (value != value && !NAME_missing) {
                    return NAME_refuse(column, text, "is missing, and the network needs every number");
                }
                if (value > NAME_most || value < -NAME_most) {
                    return NAME_refuse(column, text, "is beyond the largest number");
                }
                given[column - 1] = (NAME_number)value;
            } else {
                if (!(value >= 0.0 && value <= NAME_span)) {
                    return NAME_refuse(column, text, "is no time span: expected a finite number of at least 0");
                }
                timespan = value;
            }
        } while (end == ',');
        if (ferror(stdin)) break;
        if (blank) continue;
        if (column != NAME_inputs && column != NAME_inputs + 1) {
            fprintf(stderr, "NAME: line %ld: %d %s, ", NAME_line, column, header ? "names" : "numbers");
            fprintf(stderr, "expected %d, or a time span more\n", NAME_inputs);
            return 2;
        }
        if (header) {
            NAME_named = 1;
            continue;
        }
        if (timespan < 0.0) {
            fprintf(stderr, "NAME: line %ld has no time span behind its numbers, ", NAME_line);
            fprintf(stderr, "which layers of different time scales need\n");
            return 2;
        }
        samples++;
        NAME_step(&state, given, (float)timespan, outputs);
        for (int j = 0; j < NAME_outputs; j++) {
            if (!(outputs[j] >= -NAME_most && outputs[j] <= NAME_most)) {
                return NAME_refuse(0, "", "an output is not finite");
            }
            printf(sizeof(NAME_number) == 4 ? "%s%.9g" : "%s%.17g", j ? "," : "", (double)outputs[j]);
        }
        putchar('\n');
        if (fflush(stdout)) break;
    }
    if (ferror(stdin) || ferror(stdout)) {
        fprintf(stderr, "NAME: standard %s: %s\n", ferror(stdin) ? "input" : "output", strerror(errno));
        return 2;
    }
    if (samples == 0) {
        fprintf(stderr, "NAME: no samples on standard input\n");
        return 2;
    }
    return 0;
}
#endif
