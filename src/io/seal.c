/* The user block in front of every HDF5 file of coppice: text that says what the file is, and
 * length and SHA-256 of the rest (docs/formats/checkpoint.md, "Seal"). */
#include "h5_internal.h"

#include <string.h>

void cop_seal_make(const void *bytes, size_t count, char seal[COP_SEAL_BYTES]) {
    char hex[COP_HASH_HEX];
    cop_hash *hash = cop_hash_create();
    cop_hash_add(hash, bytes, count);
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
    char *text = cop_sprintf("coppice sealed HDF5, version 1\n"
                             "bytes %zu\n"
                             "sha256 %s\n"
                             "An HDF5 file behind 512 bytes of text: h5py, h5dump, Julia, R and "
                             "MATLAB open it as it is.\n"
                             "The two lines above are of the bytes from offset 512 to the end.\n",
                             count, hex);
    size_t length = strlen(text);
    COP_ASSERT(length < COP_SEAL_BYTES);
    memset(seal, ' ', COP_SEAL_BYTES);
    memcpy(seal, text, length);
    seal[COP_SEAL_BYTES - 1] = '\n';
    cop_free(text);
}
