/** @file base.h
 *  Ground floor of coppice: status and error text, memory, bit masks, keyed random numbers,
 *  hashing, text. Includes nothing else of coppice; knows nothing of MPI, HDF5 or BLAS.
 */
#ifndef COPPICE_BASE_H
#define COPPICE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ------------------------------------------------------------------ status and error text */

/** What a function that can fail for reasons of the world returns. Our own mistakes are COP_ASSERT.
 */
typedef enum cop_status {
    COP_OK = 0,
    COP_E_USAGE,    /**< the command line is wrong; exit 64 */
    COP_E_CONFIG,   /**< the configuration is wrong; exit 78 */
    COP_E_IO,       /**< a file cannot be read or written; exit 1 */
    COP_E_FORMAT,   /**< a file's bytes are not what they must be; exit 1 */
    COP_E_EVALUATE, /**< an evaluation could not be carried out; exit 1 */
    COP_E_PEER,     /**< another rank failed or sent nonsense; exit 1 */
    COP_E_STOPPED,  /**< stopped on request with a good checkpoint; exit 75 */
    COP_E_MEMORY,   /**< a stated memory budget would be exceeded; exit 1 */
    COP_E_LOST      /**< a rank has died or is silent; exit 1 */
} cop_status;

/** Process exit status for @p status (0, 64, 75, 78 or 1); see docs/commands.md. */
int cop_status_exit_code(cop_status status);

/** Record the one-line error message (place, value seen, value wanted, what to do) and return @p
 *  status, so that callers write `return cop_fail(COP_E_IO, "...", ...)`. The record is per
 *  process; a later cop_fail replaces it. */
cop_status cop_fail(cop_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Put "@p format: " in front of the recorded message (adds the place as an error travels up). */
cop_status cop_fail_prefix(cop_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The recorded message; "" when there is none. Borrowed; valid until the next cop_fail. */
const char *cop_error_message(void);
void cop_error_clear(void);

/** Carry a failure up at once. */
#define COP_TRY(expr)                                                                              \
    do {                                                                                           \
        cop_status cop_try_status_ = (expr);                                                       \
        if (cop_try_status_ != COP_OK) return cop_try_status_;                                     \
    } while (0)

/** For functions that own things: set the local `status` and jump to `done` on failure. */
#define COP_GO(expr)                                                                               \
    do {                                                                                           \
        status = (expr);                                                                           \
        if (status != COP_OK) goto done;                                                           \
    } while (0)

/** A mistake of ours, never of the world's: prints place and expression, then aborts. Always on. */
#define COP_ASSERT(expr) ((expr) ? (void)0 : cop_assert_failed(#expr, __FILE__, __LINE__, __func__))
_Noreturn void cop_assert_failed(const char *expr, const char *file, int line, const char *func);

/* ------------------------------------------------------------------ log */

typedef enum cop_log_level {
    COP_LOG_ERROR,
    COP_LOG_WARNING,
    COP_LOG_INFO,
    COP_LOG_DEBUG
} cop_log_level;

/** Lines above this level are dropped. Default COP_LOG_INFO. */
void cop_log_set_level(cop_log_level level);
/** Second destination beside stderr (the run directory's log); borrowed, NULL to detach. */
void cop_log_set_file(FILE *file);
/** Whether lines go to stderr (default) or only to the file: for runs in the background. */
void cop_log_set_screen(bool on);
/** Put before each line, e.g. "rank 3"; "" for none. Copied. */
void cop_log_set_prefix(const char *prefix);
/** One line (no newline in @p format) to stderr (see above) and the log file. */
void cop_log(cop_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** What this process is doing now ("evaluating individual 17 on task mnist, samples 0-999"); named
 * by the messages of out-of-memory and assertion failures. Copied (at most 255 bytes). */
void cop_activity_set(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *cop_activity(void);

/** A named point where tests let this process end or freeze: COPPICE_FAULT=kill@POINT or
 *  stop@POINT, with :N the Nth time that it is passed, with /R on rank R only
 *  (docs/reliability.md lists the points). */
void cop_fault_point(const char *point);
/** The rank of this process, for the above. */
void cop_fault_rank(int rank);

/* ------------------------------------------------------------------ memory */

/** Zeroed array of @p count items of @p size bytes, 64-byte aligned. Never returns NULL: when
 * memory ends the exhaustion hook is called (see below) and the process ends. count*size is checked
 * for overflow. A zero-sized request returns a unique pointer. Free with cop_free. */
void *cop_alloc(size_t count, size_t size);
/** Grow or shrink to @p count items; contents kept, new part NOT zeroed; may move. */
void *cop_realloc(void *pointer, size_t old_count, size_t count, size_t size);
void cop_free(void *pointer); /**< NULL is allowed */
char *cop_strdup(const char *text);
/** printf into a new string; free with cop_free. */
char *cop_sprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** The same for callers that are themselves like printf. */
char *cop_vsprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

#define COP_NEW(type) ((type *)cop_alloc(1, sizeof(type)))
#define COP_NEW_ARRAY(type, count) ((type *)cop_alloc((count), sizeof(type)))

/** Called with the size wanted when memory is exhausted, before the process exits with status 1.
 *  par installs one that names rank and host and ends the job on all ranks. NULL restores the
 * default. */
typedef void (*cop_exhausted_hook)(size_t bytes, const char *message);
void cop_memory_on_exhausted(cop_exhausted_hook hook);

/** Limit on what a file may ask for at once; 0: what this machine has. */
void cop_memory_limit(uint64_t bytes);
/** Before memory is taken because a file says so: COP_E_MEMORY when @p count * @p size bytes are
 * more than the limit. @p who begins the message: the file. */
cop_status cop_memory_ask(const char *who, uint64_t count, uint64_t size);

/** Large blocks go back to the system when they are freed, so that the peak of one part of a run is
 * not carried into the next. Call once at start. */
void cop_memory_begin(void);
/** Most memory that this process has had resident, in bytes, shared pages that it has touched
 * included; since the last reset. 0 where the system does not say. */
uint64_t cop_memory_peak(void);
/** The same at this moment. */
uint64_t cop_memory_resident(void);
/** Count the peak from here on, where the system can do that. */
void cop_memory_reset_peak(void);

/* ------------------------------------------------------------------ byte buffer (text and
 * messages) */

typedef struct cop_buf {
    unsigned char *data; /**< owned; data[length] is always 0 once anything was added */
    size_t length, capacity;
} cop_buf; /* all-zero is an empty buffer */

void cop_buf_clear(cop_buf *buf); /**< frees; back to empty */
void cop_buf_reset(cop_buf *buf); /**< length 0, keeps capacity */
/** Room for @p more bytes at once: what is added piece by piece then takes no more than it needs.
 */
void cop_buf_reserve(cop_buf *buf, size_t more);
void cop_buf_add(cop_buf *buf, const void *bytes, size_t count);
void cop_buf_printf(cop_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** @p text broken into lines of at most 80 columns, and a newline. The cursor stands at @p column;
 * later lines begin at @p indent. Newlines in the text are kept, and lines that begin with a blank
 * are not broken (examples). */
void cop_buf_fill(cop_buf *buf, const char *text, size_t column, size_t indent);
/** The contents as a C string ("" when empty); borrowed. */
const char *cop_buf_text(const cop_buf *buf);

/* ------------------------------------------------------------------ bit masks */

/** A set of bits, packed little-endian into 64-bit words; unused bits of the last word are 0
 * always. */
typedef struct cop_mask {
    size_t bits;
    uint64_t *words; /**< owned; cop_mask_words(bits) words */
} cop_mask;

size_t cop_mask_words(size_t bits);
void cop_mask_init(cop_mask *mask, size_t bits); /**< all bits 0 */
void cop_mask_clear(cop_mask *mask);             /**< frees */
void cop_mask_copy(cop_mask *to,
                   const cop_mask *from); /**< same number of bits; both initialised */
void cop_mask_fill(cop_mask *mask);       /**< all bits 1 */
size_t cop_mask_count(const cop_mask *mask);
/** Number of set bits in [begin, end). */
size_t cop_mask_count_range(const cop_mask *mask, size_t begin, size_t end);
bool cop_mask_equal(const cop_mask *a, const cop_mask *b);
/** Number of bits that differ (same sizes). */
size_t cop_mask_distance(const cop_mask *a, const cop_mask *b);
/** Copy the bits [begin, end) of @p from into @p to, the others are kept. */
void cop_mask_copy_range(cop_mask *to, const cop_mask *from, size_t begin, size_t end);

static inline bool cop_mask_get(const cop_mask *mask, size_t bit) {
    return (mask->words[bit >> 6] >> (bit & 63)) & 1u;
}
static inline void cop_mask_set(cop_mask *mask, size_t bit) {
    mask->words[bit >> 6] |= (uint64_t)1 << (bit & 63);
}
static inline void cop_mask_unset(cop_mask *mask, size_t bit) {
    mask->words[bit >> 6] &= ~((uint64_t)1 << (bit & 63));
}

/* ------------------------------------------------------------------ keyed random numbers */

/** What a stream of random numbers is for. Streams of different purposes never overlap. Append
 * only: a changed number changes every published result. */
typedef enum cop_purpose {
    COP_FOR_INIT_WEIGHTS = 1, /**< item: layer */
    COP_FOR_SHUFFLE = 2,      /**< generation: epoch */
    COP_FOR_DROPOUT = 3,      /**< generation: batch number since start; item: layer */
    COP_FOR_SPLIT = 4,        /**< validation split, seeded subsets; item: task */
    COP_FOR_SYNTH = 5,        /**< generators; generation: split; item: sample */
    COP_FOR_SELECT = 6,       /**< item: child id */
    COP_FOR_CROSS = 7,        /**< item: child id */
    COP_FOR_CROSS_GENES = 8,  /**< item: child id; per-edge draws of uniform crossover */
    COP_FOR_VARY = 9,         /**< item: child id; +16 per position in the variation list */
    COP_FOR_FOUND = 10,       /**< founders with own weights; item: layer */
    COP_FOR_DRAW = 11,        /**< batches drawn each generation; generation: pass; item: task */
    COP_FOR_GIBBS = 12,       /**< states of units; generation: batch number; item: turn */
    COP_FOR_TEST = 1000       /**< test programs only */
} cop_purpose;

/** A stream of numbers that is a function of (seed, generation, item, purpose) alone: Philox4x32-10
 * of the Random123 library (Salmon et al. 2011), key = seed, counter = (draw, purpose, item,
 * generation). Plain value; copying it copies the position. */
typedef struct cop_rng {
    uint32_t key[2], counter[4], block[4];
    unsigned used; /**< words of block already given out; 4 = none left */
} cop_rng;

cop_rng cop_rng_at(uint64_t seed, uint32_t generation, uint32_t item, uint32_t purpose);
uint32_t cop_rng_u32(cop_rng *rng);
/** The same as so many calls of cop_rng_u32, quicker. */
void cop_rng_words(cop_rng *rng, uint32_t *to, size_t count);
uint64_t cop_rng_u64(cop_rng *rng);
/** Uniform in [0, 1), 53 bits. */
double cop_rng_uniform(cop_rng *rng);
/** The same as so many calls of cop_rng_uniform, quicker. */
void cop_rng_uniforms(cop_rng *rng, double *to, size_t count);
/** Uniform integer in [0, n), unbiased (rejection); n > 0. */
uint64_t cop_rng_below(cop_rng *rng, uint64_t n);
/** Standard normal (Box-Muller, two uniforms a call). */
double cop_rng_normal(cop_rng *rng);
/** Fisher-Yates over @p count indices. */
void cop_rng_shuffle(cop_rng *rng, uint32_t *items, size_t count);
/** @p count distinct positions drawn uniformly from [0, n) into @p out (all bits of @p out, which
 * has n bits, are overwritten); Floyd's algorithm: exactly @p count draws. count <= n. */
void cop_rng_sample(cop_rng *rng, size_t count, cop_mask *out);

/* ------------------------------------------------------------------ hashing (SHA-256 of libcrypto)
 */

#define COP_HASH_BYTES 32
#define COP_HASH_HEX 65
typedef struct cop_hash cop_hash; /**< a running SHA-256 */
cop_hash *cop_hash_create(void);
void cop_hash_destroy(cop_hash *hash);
void cop_hash_add(cop_hash *hash, const void *bytes, size_t count);
/** Numbers are hashed as 8 bytes, little-endian; doubles by their bits, with every NaN alike. */
void cop_hash_add_u64(cop_hash *hash, uint64_t value);
void cop_hash_add_double(cop_hash *hash, double value);
void cop_hash_add_text(cop_hash *hash, const char *text); /**< length, then bytes */
/** Ends the hash; 64 lower-case hex digits and a NUL. */
void cop_hash_hex(cop_hash *hash, char hex[COP_HASH_HEX]);
/** SHA-256 of a whole file; COP_E_IO. */
cop_status cop_hash_file(const char *path, char hex[COP_HASH_HEX]);

/* ------------------------------------------------------------------ text */

/** Whole-string parsers: false unless all of @p text is one finite number in range. No locale. */
bool cop_parse_i64(const char *text, int64_t *value);
bool cop_parse_u64(const char *text, uint64_t *value);
bool cop_parse_double(const char *text, double *value);
/** Bytes, as 512M, 1.5G or 4096: K, M, G and T (also KiB, MiB, GiB, TiB) are powers of 1024; at
 * most 2^53. A fraction of a byte is rounded down. */
bool cop_parse_bytes(const char *text, uint64_t *value);
/** yes/no, true/false, on/off, 1/0. */
bool cop_parse_bool(const char *text, bool *value);

/** The entry of @p names (count) nearest to @p word by edit distance, NULL when none is near
 * (distance more than a third of the length). For "did you mean". */
const char *cop_nearest(const char *word, const char *const *names, size_t count);

/** Split at any of @p separators, dropping empty parts and blanks around parts. Parts are owned. */
typedef struct cop_list {
    char **items;
    size_t count;
} cop_list;
void cop_list_split(cop_list *list, const char *text, const char *separators);
void cop_list_add(cop_list *list, const char *text);
void cop_list_clear(cop_list *list);

/** Bytes of the UTF-8 character at the start of @p text (1 at its end), 0 if there is none:
 * overlong forms, surrogates and what lies beyond U+10FFFF are none. */
size_t cop_utf8_length(const char *text);

/** Bytes as "1.5 GiB"; writes into @p out (at least 32 bytes) and returns it. */
const char *cop_format_bytes(double bytes, char out[32]);
/** Seconds as "2h 05m", "3m 07s", "8.4 s". */
const char *cop_format_seconds(double seconds, char out[32]);

/** Monotonic seconds since an arbitrary start. */
double cop_clock(void);
/** Wall-clock time as "2022-03-01T12:00:00Z" into @p out (at least 32 bytes). */
const char *cop_time_now(char out[32]);

#endif
