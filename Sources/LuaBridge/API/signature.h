// Signatures and the keys that make and check them, by OpenSSL. No Lua: nothing here can raise, so each function frees
// its memory before it returns. It leaves OpenSSL's queue of errors empty, because TLS on this thread reads it.
#ifndef PERIGEE_BRIDGE_SIGNATURE_H
#define PERIGEE_BRIDGE_SIGNATURE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "BridgeTypes.h"

enum {
    longest_key = 16 * 1024, // bytes of PEM or of a secret
    smallest_rsa = 2048,     // bits (RFC 7518, 3.3)
    largest_rsa = 8192,
    longest_signature = largest_rsa / 8,
    kept_keys = 16,
};

// RFC 7518 and RFC 8037.
typedef enum SignatureAlgorithm {
    SIGNATURE_HS256,
    SIGNATURE_RS256,
    SIGNATURE_ES256,
    SIGNATURE_EDDSA,
} SignatureAlgorithm;

enum { signature_algorithms = 4 };

// The keys that one Lua state has read from PEM, by their text, so that each is parsed once.
typedef struct KeyCache KeyCache;

// Frees a cache and its keys; NULL is fine.
void keys_free(KeyCache *cache);

// Whether the text is PEM, and so no secret.
bool is_pem(BridgeBytes key);

// Whether the key fits the algorithm: a secret for HS256, else PEM of the right type.
bool key_fits(KeyCache **cache, BridgeBytes key, SignatureAlgorithm algorithm);

// Checks a signature with a key that fits.
bool signature_verify(
    KeyCache **cache, BridgeBytes key, SignatureAlgorithm algorithm, BridgeBytes data, BridgeBytes signature);

// Writes a signature with a key that fits, at most longest_signature bytes; 0 when the key cannot sign.
size_t signature_make(
    KeyCache **cache, BridgeBytes key, SignatureAlgorithm algorithm, BridgeBytes data, uint8_t *signature);

// Writes the HMAC of the data; false if OpenSSL fails.
bool hmac_of(const EVP_MD *method, BridgeBytes key, BridgeBytes data, uint8_t *value);

// The key in a PEM text, NULL if it has none, or one that fits no algorithm here. The cache keeps it until the next
// call.
EVP_PKEY *key_of(KeyCache **cache, BridgeBytes text, SignatureAlgorithm *algorithm);

#endif
