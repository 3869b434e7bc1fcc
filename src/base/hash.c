#include "coppice/base.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <openssl/evp.h>

struct cop_hash {
    EVP_MD_CTX *context;
};

cop_hash *cop_hash_create(void) {
    cop_hash *hash = COP_NEW(cop_hash);
    hash->context = EVP_MD_CTX_new();
    COP_ASSERT(hash->context && EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) == 1);
    return hash;
}

void cop_hash_destroy(cop_hash *hash) {
    if (!hash) return;
    EVP_MD_CTX_free(hash->context);
    cop_free(hash);
}

void cop_hash_add(cop_hash *hash, const void *bytes, size_t count) {
    if (count) COP_ASSERT(EVP_DigestUpdate(hash->context, bytes, count) == 1);
}

void cop_hash_add_u64(cop_hash *hash, uint64_t value) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(value >> (8 * i));
    cop_hash_add(hash, bytes, sizeof bytes);
}

void cop_hash_add_double(cop_hash *hash, double value) {
    uint64_t bits = UINT64_C(0x7ff8000000000000);
    if (!isnan(value)) memcpy(&bits, &value, sizeof bits);
    cop_hash_add_u64(hash, bits);
}

void cop_hash_add_text(cop_hash *hash, const char *text) {
    size_t length = strlen(text);
    cop_hash_add_u64(hash, length);
    cop_hash_add(hash, text, length);
}

void cop_hash_hex(cop_hash *hash, char hex[COP_HASH_HEX]) {
    unsigned char bytes[COP_HASH_BYTES];
    unsigned length = 0;
    COP_ASSERT(EVP_DigestFinal_ex(hash->context, bytes, &length) == 1 && length == COP_HASH_BYTES);
    for (size_t i = 0; i < COP_HASH_BYTES; i++) snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

cop_status cop_hash_file(const char *path, char hex[COP_HASH_HEX]) {
    FILE *file = fopen(path, "rb");
    if (!file) return cop_fail(COP_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    cop_hash *hash = cop_hash_create();
    unsigned char bytes[65536];
    size_t count;
    while ((count = fread(bytes, 1, sizeof bytes, file)) > 0) cop_hash_add(hash, bytes, count);
    cop_status status = COP_OK;
    if (ferror(file)) status = cop_fail(COP_E_IO, "%s: cannot be read: %s", path, strerror(errno));
    fclose(file);
    cop_hash_hex(hash, hex);
    cop_hash_destroy(hash);
    return status;
}
