#include "coppice/base.h"

#include <stdlib.h>
#include <string.h>

/* One record per process: ranks are processes and evaluation is single-threaded. */
static char message[2048];
static char activity[256];

int cop_status_exit_code(cop_status status) {
    switch (status) {
    case COP_OK:
        return 0;
    case COP_E_USAGE:
        return 64;
    case COP_E_CONFIG:
        return 78;
    case COP_E_STOPPED:
        return 75;
    case COP_E_IO:
    case COP_E_FORMAT:
    case COP_E_EVALUATE:
    case COP_E_PEER:
    case COP_E_MEMORY:
    case COP_E_LOST:
        return 1;
    }
    return 1;
}

/* A message is one line whatever a hostile file put into it: control characters become '?'. */
static void tame(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = '?';
}

cop_status cop_fail(cop_status status, const char *format, ...) {
    va_list args;
    char text[sizeof message];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tame(text);
    memcpy(message, text, sizeof message);
    return status;
}

cop_status cop_fail_prefix(cop_status status, const char *format, ...) {
    va_list args;
    char text[sizeof message], prefix[512];
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    tame(prefix);
    memcpy(text, message, sizeof text);
    /* a message too long for the record is cut at its end, never at its place */
    snprintf(message, sizeof message, "%s: %.*s", prefix,
             (int)(sizeof message - strlen(prefix) - 3), text);
    return status;
}

const char *cop_error_message(void) {
    return message;
}
void cop_error_clear(void) {
    message[0] = '\0';
}

void cop_activity_set(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(activity, sizeof activity, format, args);
    va_end(args);
}

const char *cop_activity(void) {
    return activity;
}

void cop_assert_failed(const char *expr, const char *file, int line, const char *func) {
    fprintf(
        stderr,
        "coppice: internal error: %s:%d: %s: assertion '%s' failed%s%s; please report this line\n",
        file, line, func, expr, activity[0] ? " while " : "", activity);
    abort();
}
