// Making and checking signatures.
#include "signature.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
    hs256_size = 32,
    es256_half = 32,       // of a signature: r, then s (RFC 7518, 3.4)
    longest_es256_der = 72,
};

bool hmac_of(const EVP_MD *method, BridgeBytes key, BridgeBytes data, uint8_t *value)
{
    unsigned count = 0;
    return key.count <= INT32_MAX
        && HMAC(method, key.bytes, (int)key.count, (const uint8_t *)data.bytes, data.count, value, &count) != NULL;
}

bool key_fits(KeyCache **cache, BridgeBytes key, SignatureAlgorithm algorithm)
{
    if (algorithm == SIGNATURE_HS256) {
        // PEM text must not be a secret: otherwise a public key could serve as one, and everybody who knows it could
        // make tokens.
        return key.count > 0 && key.count <= longest_key && !is_pem(key);
    }
    SignatureAlgorithm found;
    return is_pem(key) && key_of(cache, key, &found) != NULL && found == algorithm;
}

static const EVP_MD *digest_for(SignatureAlgorithm algorithm)
{
    return algorithm == SIGNATURE_EDDSA ? NULL : EVP_sha256();
}

// Turns r and s into the DER that OpenSSL checks; 0 when that fails.
static size_t der_from_halves(const uint8_t *halves, uint8_t *der)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(halves, es256_half, NULL);
    BIGNUM *s = BN_bin2bn(halves + es256_half, es256_half, NULL);
    int count = 0;
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; // owned by the pair now
        uint8_t *end = der;
        count = i2d_ECDSA_SIG(pair, &end);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return count > 0 ? (size_t)count : 0;
}

// Turns DER into r and s.
static bool halves_from_der(const uint8_t *der, size_t count, uint8_t *halves)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)count);
    bool done = pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), halves, es256_half) == es256_half
        && BN_bn2binpad(ECDSA_SIG_get0_s(pair), halves + es256_half, es256_half) == es256_half;
    ECDSA_SIG_free(pair);
    return done;
}

static bool verify_with(EVP_PKEY *key, SignatureAlgorithm algorithm, BridgeBytes data, BridgeBytes signature)
{
    uint8_t der[longest_es256_der];
    if (algorithm == SIGNATURE_ES256) {
        if (signature.count != 2 * es256_half) {
            return false;
        }
        signature.count = der_from_halves((const uint8_t *)signature.bytes, der);
        signature.bytes = (const char *)der;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool valid = context != NULL
        && EVP_DigestVerifyInit(context, NULL, digest_for(algorithm), NULL, key) == 1
        && EVP_DigestVerify(
               context, (const uint8_t *)signature.bytes, signature.count, (const uint8_t *)data.bytes, data.count)
            == 1;
    EVP_MD_CTX_free(context);
    return valid;
}

bool signature_verify(
    KeyCache **cache, BridgeBytes key, SignatureAlgorithm algorithm, BridgeBytes data, BridgeBytes signature)
{
    bool valid;
    if (algorithm == SIGNATURE_HS256) {
        uint8_t expected[EVP_MAX_MD_SIZE];
        valid = signature.count == hs256_size && hmac_of(EVP_sha256(), key, data, expected)
            && CRYPTO_memcmp(expected, signature.bytes, hs256_size) == 0;
    } else {
        SignatureAlgorithm found;
        EVP_PKEY *pair = key_of(cache, key, &found);
        valid = pair != NULL && found == algorithm && verify_with(pair, algorithm, data, signature);
    }
    ERR_clear_error();
    return valid;
}

static size_t sign_with(EVP_PKEY *key, SignatureAlgorithm algorithm, BridgeBytes data, uint8_t *signature)
{
    uint8_t made[longest_signature];
    size_t count = sizeof made;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context != NULL
        && EVP_DigestSignInit(context, NULL, digest_for(algorithm), NULL, key) == 1
        && EVP_DigestSign(context, made, &count, (const uint8_t *)data.bytes, data.count) == 1;
    EVP_MD_CTX_free(context);
    if (!done) {
        return 0;
    }
    if (algorithm == SIGNATURE_ES256) {
        return halves_from_der(made, count, signature) ? 2 * es256_half : 0;
    }
    memcpy(signature, made, count);
    return count;
}

size_t signature_make(
    KeyCache **cache, BridgeBytes key, SignatureAlgorithm algorithm, BridgeBytes data, uint8_t *signature)
{
    size_t count = 0;
    if (algorithm == SIGNATURE_HS256) {
        uint8_t value[EVP_MAX_MD_SIZE];
        if (hmac_of(EVP_sha256(), key, data, value)) {
            memcpy(signature, value, hs256_size);
            count = hs256_size;
        }
    } else {
        SignatureAlgorithm found;
        EVP_PKEY *pair = key_of(cache, key, &found);
        count = pair != NULL && found == algorithm ? sign_with(pair, algorithm, data, signature) : 0;
    }
    ERR_clear_error();
    return count;
}
