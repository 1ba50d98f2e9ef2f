// What Perigee calls of OpenSSL, as functions that Swift can import (OpenSSL's own are partly macros).
#ifndef PERIGEE_COPENSSL_SHIM_H
#define PERIGEE_COPENSSL_SHIM_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Writes the SHA-1 of `count` bytes to `digest` (20 bytes); false when the library's policy forbids SHA-1.
static inline bool perigee_sha1(const void *bytes, size_t count, uint8_t *digest) {
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha1(), NULL) == 1;
}

#endif
