/* Samples to look at: a contact sheet as PNG, or characters for a terminal. */
#include "coppice/data.h"

#include "coppice/io.h"

#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2
#define SHEET_MAX ((size_t)1 << 28) /* bytes of a sheet */

typedef struct range {
    double low, high;
} range;

static range range_of(const cop_dataset *set) {
    range r = {INFINITY, -INFINITY};
    size_t count = set->samples * cop_dataset_features(set);
    for (size_t i = 0; i < count; i++) {
        r.low = fmin(r.low, (double)set->x[i]);
        r.high = fmax(r.high, (double)set->x[i]);
    }
    if (!(r.high > r.low)) r.high = r.low + 1;
    return r;
}

/* Sample numbers of the first @p per_class of each class: (classes, per_class), SIZE_MAX for none.
 */
static size_t *firsts(const cop_dataset *set, size_t per_class) {
    size_t classes = (size_t)set->classes, *first = COP_NEW_ARRAY(size_t, classes * per_class),
           *have = COP_NEW_ARRAY(size_t, classes);
    for (size_t i = 0; i < classes * per_class; i++) first[i] = SIZE_MAX;
    for (size_t i = 0; i < set->samples; i++) {
        size_t c = (size_t)set->label[i];
        if (have[c] < per_class) first[c * per_class + have[c]++] = i;
    }
    cop_free(have);
    return first;
}

static void place(unsigned char *sheet, size_t stride, size_t planes, const cop_dataset *set,
                  size_t sample, range r, size_t zoom) {
    size_t plane = set->height * set->width;
    const float *x = set->x + sample * cop_dataset_features(set);
    for (size_t row = 0; row < set->height * zoom; row++)
        for (size_t column = 0; column < set->width * zoom; column++)
            for (size_t p = 0; p < planes; p++) {
                double value = (double)x[p * plane + row / zoom * set->width + column / zoom];
                sheet[row * stride + column * planes + p] =
                    (unsigned char)lround(255 * (value - r.low) / (r.high - r.low));
            }
}

static cop_status encode(const unsigned char *sheet, size_t width, size_t height, size_t planes,
                         const char *path) {
    cop_status status = COP_OK;
    png_image image;
    png_alloc_size_t bytes = 0;
    void *file = NULL;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = (png_uint_32)width;
    image.height = (png_uint_32)height;
    image.format = planes == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    if (!png_image_write_get_memory_size(image, bytes, 0, sheet, 0, NULL)) goto failed;
    file = cop_alloc(bytes, 1);
    if (!png_image_write_to_memory(&image, file, &bytes, 0, sheet, 0, NULL)) goto failed;
    status = cop_write_file(path, file, bytes);
    goto done;
failed:
    status = cop_fail(COP_E_IO, "%s: libpng: %s", path, image.message);
done:
    png_image_free(&image);
    cop_free(file);
    return status;
}

cop_status cop_write_contact_png(const cop_dataset *set, size_t per_class, const char *path) {
    COP_ASSERT(per_class > 0);
    size_t side = set->height > set->width ? set->height : set->width,
           zoom = side < 56 ? 56 / side : 1, planes = set->channels == 3 ? 3 : 1,
           classes = (size_t)set->classes, cell_w = set->width * zoom + GAP,
           cell_h = set->height * zoom + GAP;
    if (per_class > SHEET_MAX / 3 / cell_w / cell_h / classes)
        return cop_fail(COP_E_USAGE, "%s: the sheet would be too large: ask for fewer samples",
                        path);
    size_t width = per_class * cell_w + GAP, height = classes * cell_h + GAP,
           stride = width * planes;
    unsigned char *sheet = COP_NEW_ARRAY(unsigned char, stride *height);
    size_t *first = firsts(set, per_class);
    range r = range_of(set);
    memset(sheet, 96, stride * height);
    for (size_t c = 0; c < classes; c++)
        for (size_t k = 0; k < per_class; k++)
            if (first[c * per_class + k] != SIZE_MAX)
                place(sheet + (c * cell_h + GAP) * stride + (k * cell_w + GAP) * planes, stride,
                      planes, set, first[c * per_class + k], r, zoom);
    cop_status status = encode(sheet, width, height, planes, path);
    cop_free(first);
    cop_free(sheet);
    return status;
}

static const char *title(const cop_dataset *set, size_t sample, char out[24]) {
    int32_t c = set->label[sample];
    const char *name = set->class_names ? set->class_names[c] : NULL;
    snprintf(out, 24, "%d", c);
    if (name && strcmp(name, out) != 0) snprintf(out, 24, "%d: %.16s", c, name);
    return out;
}

/* A character is twice as high as wide, so it shows the mean of two rows. */
static void print_band(const cop_dataset *set, const size_t *samples, size_t count, range r,
                       FILE *out) {
    static const char ramp[] = " .:-=+*#%@";
    char text[24];
    for (size_t k = 0; k < count; k++)
        fprintf(out, "%-*.*s  ", (int)set->width, (int)set->width, title(set, samples[k], text));
    fputc('\n', out);
    for (size_t row = 0; row < set->height; row += 2) {
        for (size_t k = 0; k < count; k++) {
            const float *x = set->x + samples[k] * cop_dataset_features(set) + row * set->width;
            for (size_t column = 0; column < set->width; column++) {
                double value = (double)x[column];
                if (row + 1 < set->height) value = (value + (double)x[column + set->width]) / 2;
                fputc(ramp[(int)((value - r.low) / (r.high - r.low) * 9.999)], out);
            }
            fputs("  ", out);
        }
        fputc('\n', out);
    }
}

static void print_rows(const cop_dataset *set, const size_t *samples, size_t count, FILE *out) {
    size_t features = cop_dataset_features(set), shown = features < 8 ? features : 8;
    char text[24];
    for (size_t k = 0; k < count; k++) {
        fprintf(out, "%-20s", title(set, samples[k], text));
        for (size_t f = 0; f < shown; f++)
            fprintf(out, " %9.4g", (double)set->x[samples[k] * features + f]);
        fputs(shown < features ? " ...\n" : "\n", out);
    }
}

void cop_print_samples(const cop_dataset *set, size_t count, FILE *out) {
    size_t classes = (size_t)set->classes, each = (count + classes - 1) / classes, have = 0;
    if (!count) return;
    size_t *first = firsts(set, each), *samples = COP_NEW_ARRAY(size_t, count);
    for (size_t k = 0; k < each; k++)
        for (size_t c = 0; c < classes && have < count; c++)
            if (first[c * each + k] != SIZE_MAX) samples[have++] = first[c * each + k];
    size_t across = set->width + 2 < 96 ? 96 / (set->width + 2) : 1;
    if (set->height == 1 || set->width > 160)
        print_rows(set, samples, have, out);
    else
        for (size_t k = 0; k < have; k += across)
            print_band(set, samples + k, have - k < across ? have - k : across, range_of(set), out);
    cop_free(samples);
    cop_free(first);
}
