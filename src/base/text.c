#include "coppice/base.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* strto* skip blanks, so a leading blank is refused here: the whole text must be the number. */
static bool starts_badly(const char *text) {
    return !*text || isspace((unsigned char)*text);
}

bool cop_parse_i64(const char *text, int64_t *value) {
    char *end;
    if (starts_badly(text)) return false;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (*end || errno) return false;
    *value = number;
    return true;
}

bool cop_parse_u64(const char *text, uint64_t *value) {
    char *end;
    if (starts_badly(text) || *text == '-') return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*end || errno) return false;
    *value = number;
    return true;
}

bool cop_parse_double(const char *text, double *value) {
    char *end;
    if (starts_badly(text)) return false;
    double number = strtod(text, &end);
    if (*end || !isfinite(number)) return false;
    *value = number;
    return true;
}

bool cop_parse_bytes(const char *text, uint64_t *value) {
    static const char units[] = "KMGT";
    char *end;
    if (!isdigit((unsigned char)*text) || text[strspn(text, "0123456789.")] == 'x') return false;
    double number = strtod(text, &end);
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (*end && !unit) return false;
    if (unit && end[1] && strcmp(end + 1, "iB") != 0) return false;
    if (unit) number = ldexp(number, 10 * (int)(unit - units + 1));
    if (!(number <= 0x1p53)) return false;
    *value = (uint64_t)number;
    return true;
}

bool cop_parse_bool(const char *text, bool *value) {
    static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false",
                                                                                "off", "0"};
    for (size_t i = 0; i < 4; i++) {
        if (strcasecmp(text, yes[i]) == 0) return *value = true, true;
        if (strcasecmp(text, no[i]) == 0) return *value = false, true;
    }
    return false;
}

/* Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours. */
static size_t distance(const char *a, const char *b) {
    enum { LONGEST = 63 };
    size_t n = strlen(a), m = strlen(b), row[3][LONGEST + 1];
    if (n > LONGEST || m > LONGEST) return SIZE_MAX;
    for (size_t j = 0; j <= m; j++) row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *last = row[(i - 1) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            size_t best = last[j - 1] + !same;
            if (last[j] + 1 < best) best = last[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

const char *cop_nearest(const char *word, const char *const *names, size_t count) {
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, names[i]), length = strlen(names[i]);
        size_t allowed = length < 6 ? 2 : length / 3;
        if (length <= 2) allowed = 1;
        /* a word that begins like a name ("tourn") is near as well */
        size_t typed = strlen(word);
        if (typed >= 3 && typed < length && strncasecmp(word, names[i], typed) == 0) d = 1;
        if (d <= allowed && d < best) {
            best = d;
            nearest = names[i];
        }
    }
    return nearest;
}

void cop_list_add(cop_list *list, const char *text) {
    list->items = cop_realloc(list->items, list->count, list->count + 1, sizeof *list->items);
    list->items[list->count++] = cop_strdup(text);
}

void cop_list_split(cop_list *list, const char *text, const char *separators) {
    while (*text) {
        size_t length = strcspn(text, separators), begin = 0, end = length;
        while (begin < end && isspace((unsigned char)text[begin])) begin++;
        while (end > begin && isspace((unsigned char)text[end - 1])) end--;
        if (end > begin) {
            char *part = cop_sprintf("%.*s", (int)(end - begin), text + begin);
            cop_list_add(list, part);
            cop_free(part);
        }
        text += length;
        if (*text) text++;
    }
}

void cop_list_clear(cop_list *list) {
    for (size_t i = 0; i < list->count; i++) cop_free(list->items[i]);
    cop_free(list->items);
    *list = (cop_list){0};
}

const char *cop_format_bytes(double bytes, char out[32]) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1024;
        unit++;
    }
    snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return out;
}

const char *cop_format_seconds(double seconds, char out[32]) {
    if (!(seconds >= 0))
        snprintf(out, 32, "?");
    else if (seconds < 60)
        snprintf(out, 32, "%.1f s", seconds);
    else if (seconds < 3600)
        snprintf(out, 32, "%dm %02ds", (int)seconds / 60, (int)seconds % 60);
    else if (seconds < 360000)
        snprintf(out, 32, "%dh %02dm", (int)seconds / 3600, (int)seconds / 60 % 60);
    else
        snprintf(out, 32, "%.1f days", seconds / 86400);
    return out;
}

size_t cop_utf8_length(const char *text) {
    const unsigned char *c = (const unsigned char *)text;
    size_t more = c[0] < 0x80                   ? 0
                  : c[0] >= 0xc2 && c[0] < 0xe0 ? 1
                  : (c[0] & 0xf0) == 0xe0       ? 2
                  : c[0] >= 0xf0 && c[0] < 0xf5 ? 3
                                                : 9;
    if (more == 9) return 0;
    for (size_t i = 1; i <= more; i++)
        if ((c[i] & 0xc0) != 0x80) return 0; /* also the end of the text */
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
        (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
        return 0;
    return more + 1;
}
