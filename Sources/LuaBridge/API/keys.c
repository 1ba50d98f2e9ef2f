// Keys in PEM: they are read, checked, and kept so that they need not be read again for the next token.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "signature.h"

typedef struct KeptKey {
    char *text;
    size_t count;
    EVP_PKEY *key;
    SignatureAlgorithm algorithm;
} KeptKey;

struct KeyCache {
    KeptKey keys[kept_keys];
    int next; // the key that is replaced next
};

static const char pem_mark[] = "-----BEGIN ";

bool is_pem(BridgeBytes key)
{
    const size_t length = sizeof pem_mark - 1;
    if (key.count > longest_key) {
        return false;
    }
    for (size_t i = 0; i + length <= key.count; i++) {
        if (memcmp(key.bytes + i, pem_mark, length) == 0) {
            return true;
        }
    }
    return false;
}

static void forget(KeptKey *kept)
{
    if (kept->text != NULL) {
        OPENSSL_cleanse(kept->text, kept->count);
    }
    free(kept->text);
    EVP_PKEY_free(kept->key);
    *kept = (KeptKey){.text = NULL};
}

void keys_free(KeyCache *cache)
{
    for (int i = 0; cache != NULL && i < kept_keys; i++) {
        forget(&cache->keys[i]);
    }
    free(cache);
}

// A server cannot use a key that is encrypted with a passphrase.
static int no_passphrase(char *buffer, int size, int writes, void *context)
{
    (void)buffer, (void)size, (void)writes, (void)context;
    return 0;
}

// The public or private key in a PEM text; NULL when there is none.
static EVP_PKEY *read_pem(BridgeBytes text)
{
    BIO *memory = BIO_new_mem_buf(text.bytes, (int)text.count);
    if (memory == NULL) {
        return NULL;
    }
    EVP_PKEY *key = PEM_read_bio_PUBKEY(memory, NULL, no_passphrase, NULL);
    if (key == NULL && BIO_reset(memory) == 1) {
        key = PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, NULL);
    }
    BIO_free(memory);
    return key;
}

static bool is_p256(const EVP_PKEY *key)
{
    char curve[32];
    size_t count = 0;
    return EVP_PKEY_get_group_name(key, curve, sizeof curve, &count) == 1 && strcmp(curve, "prime256v1") == 0;
}

// The algorithm that a key can be used for; false if there is none here.
static bool judge(const EVP_PKEY *key, SignatureAlgorithm *algorithm)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        *algorithm = SIGNATURE_RS256;
        return EVP_PKEY_get_bits(key) >= smallest_rsa && EVP_PKEY_get_bits(key) <= largest_rsa;
    case EVP_PKEY_EC:
        *algorithm = SIGNATURE_ES256;
        return is_p256(key);
    case EVP_PKEY_ED25519:
        *algorithm = SIGNATURE_EDDSA;
        return true;
    default:
        return false;
    }
}

// Takes the key, and a copy of its text, into the cache. False if there is no memory: then the caller still owns the
// key.
static bool keep(KeyCache *cache, BridgeBytes text, EVP_PKEY *key, SignatureAlgorithm algorithm)
{
    char *copy = malloc(text.count);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, text.bytes, text.count);
    forget(&cache->keys[cache->next]);
    cache->keys[cache->next] = (KeptKey){.text = copy, .count = text.count, .key = key, .algorithm = algorithm};
    cache->next = (cache->next + 1) % kept_keys;
    return true;
}

EVP_PKEY *key_of(KeyCache **cache, BridgeBytes text, SignatureAlgorithm *algorithm)
{
    if (text.count > longest_key || (*cache == NULL && (*cache = calloc(1, sizeof **cache)) == NULL)) {
        return NULL;
    }
    for (int i = 0; i < kept_keys; i++) {
        const KeptKey *kept = &(*cache)->keys[i];
        if (kept->key != NULL && kept->count == text.count && memcmp(kept->text, text.bytes, text.count) == 0) {
            *algorithm = kept->algorithm;
            return kept->key;
        }
    }
    EVP_PKEY *key = read_pem(text);
    ERR_clear_error();
    if (key == NULL || !judge(key, algorithm) || !keep(*cache, text, key, *algorithm)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    ERR_clear_error();
    return key;
}
