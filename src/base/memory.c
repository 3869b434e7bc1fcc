#include "coppice/base.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIGNMENT 64                 /* a cache line, and the widest vector register */
#define MOVED_FROM ((size_t)1 << 20) /* bytes: blocks of this size are mapped by themselves */

static cop_exhausted_hook exhausted_hook;

void cop_memory_on_exhausted(cop_exhausted_hook hook) {
    exhausted_hook = hook;
}

static _Noreturn void exhausted(size_t bytes) {
    char size[32], text[512];
    snprintf(text, sizeof text,
             "out of memory: %s more wanted%s%s; use fewer ranks per node, a smaller batch or a "
             "smaller network ('coppice check' estimates the need)",
             cop_format_bytes((double)bytes, size), cop_activity()[0] ? " while " : "",
             cop_activity());
    if (exhausted_hook)
        exhausted_hook(bytes, text);
    else
        fprintf(stderr, "coppice: error: %s\n", text);
    exit(1);
}

static uint64_t limit;

void cop_memory_limit(uint64_t bytes) {
    limit = bytes;
}

/* Memory of the machine, or of the group of processes that a batch system or container limits. */
static uint64_t machine_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t most = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX, group;
    char text[64] = "";
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "r");
    if (!file) return most;
    if (fgets(text, sizeof text, file)) text[strcspn(text, "\n")] = '\0';
    fclose(file);
    return cop_parse_u64(text, &group) && group < most ? group : most;
}

cop_status cop_memory_ask(const char *who, uint64_t count, uint64_t size) {
    uint64_t bytes, most = limit ? limit : machine_memory();
    char wanted[32], there[32];
    if (__builtin_mul_overflow(count, size, &bytes)) bytes = UINT64_MAX;
    if (bytes <= most) return COP_OK;
    return cop_fail(COP_E_MEMORY, "%s: %s of memory are asked for, more than %s of %s", who,
                    cop_format_bytes((double)bytes, wanted),
                    limit ? "the limit" : "this machine's memory",
                    cop_format_bytes((double)most, there));
}

static size_t product(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
        exhausted(SIZE_MAX / 2);
    return bytes;
}

void *cop_alloc(size_t count, size_t size) {
    size_t bytes = product(count, size);
    void *pointer = NULL;
    if (posix_memalign(&pointer, ALIGNMENT, bytes ? bytes : 1) != 0) exhausted(bytes);
    memset(pointer, 0, bytes);
    return pointer;
}

/* Large blocks are grown where they are, or their pages moved, where the C library can do that:
 * beside a copy the old block would be there once more. */
void *cop_realloc(void *pointer, size_t old_count, size_t count, size_t size) {
    size_t bytes = product(count, size),
           kept = product(old_count < count ? old_count : count, size);
    void *fresh = NULL;
    if (pointer && kept >= MOVED_FROM && bytes >= MOVED_FROM) {
        pointer = realloc(pointer, bytes);
        if (!pointer) exhausted(bytes);
        if ((uintptr_t)pointer % ALIGNMENT == 0) return pointer;
    }
    if (posix_memalign(&fresh, ALIGNMENT, bytes ? bytes : 1) != 0) exhausted(bytes);
    if (kept) memcpy(fresh, pointer, kept);
    free(pointer);
    return fresh;
}

void cop_free(void *pointer) {
    free(pointer);
}

char *cop_strdup(const char *text) {
    size_t length = strlen(text) + 1;
    char *copy = cop_alloc(length, 1);
    memcpy(copy, text, length);
    return copy;
}

char *cop_vsprintf(const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    COP_ASSERT(length >= 0);
    char *text = cop_alloc((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

char *cop_sprintf(const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = cop_vsprintf(format, args);
    va_end(args);
    return text;
}

/* ------------------------------------------------------------------ byte buffer */

void cop_buf_clear(cop_buf *buf) {
    cop_free(buf->data);
    *buf = (cop_buf){0};
}

void cop_buf_reset(cop_buf *buf) {
    buf->length = 0;
    if (buf->data) buf->data[0] = 0;
}

/* At least that much; doubled, if @p grow, so that many small pieces are copied seldom. */
static void reserve(cop_buf *buf, size_t more, bool grow) {
    size_t wanted;
    if (__builtin_add_overflow(buf->length, more, &wanted) || wanted == SIZE_MAX)
        exhausted(SIZE_MAX / 2);
    wanted++; /* the closing zero byte */
    if (wanted <= buf->capacity) return;
    size_t capacity = !grow ? wanted : buf->capacity ? buf->capacity : 256;
    while (capacity < wanted) capacity = capacity > SIZE_MAX / 2 ? wanted : 2 * capacity;
    buf->data = cop_realloc(buf->data, buf->length, capacity, 1);
    buf->capacity = capacity;
}

void cop_buf_reserve(cop_buf *buf, size_t more) {
    reserve(buf, more, false);
}

void cop_buf_add(cop_buf *buf, const void *bytes, size_t count) {
    reserve(buf, count, true);
    if (count) memcpy(buf->data + buf->length, bytes, count);
    buf->length += count;
    buf->data[buf->length] = 0;
}

void cop_buf_printf(cop_buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    COP_ASSERT(length >= 0);
    reserve(buf, (size_t)length, true);
    va_start(args, format);
    vsnprintf((char *)buf->data + buf->length, (size_t)length + 1, format, args);
    va_end(args);
    buf->length += (size_t)length;
}

const char *cop_buf_text(const cop_buf *buf) {
    return buf->data ? (const char *)buf->data : "";
}
