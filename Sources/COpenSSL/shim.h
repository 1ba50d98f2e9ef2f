// The calls of OpenSSL that Perigee needs, as functions that Swift can import (OpenSSL's own are partly macros).
#ifndef PERIGEE_COPENSSL_SHIM_H
#define PERIGEE_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Writes the SHA-1 of `count` bytes to `digest` (20 bytes); false when the library's policy forbids SHA-1.
static inline bool perigee_sha1(const void *bytes, size_t count, uint8_t *digest) {
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha1(), NULL) == 1;
}

/// Writes the SHA-256 of `count` bytes to `digest` (32 bytes).
static inline bool perigee_sha256(const void *bytes, size_t count, uint8_t *digest) {
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL) == 1;
}

// --- contexts ---

/// No renegotiation, no compression, no buffers while idle, no sessions kept here (tickets carry them).
static inline void perigee_context_prepare(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline bool perigee_context_set_min_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version) == 1;
}

static inline bool perigee_context_set_max_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_max_proto_version(context, version) == 1;
}

/// `keys` are 80 bytes: name, HMAC key and encryption key of session tickets.
static inline bool perigee_context_set_ticket_keys(SSL_CTX *context, const void *keys, int count) {
    return SSL_CTX_set_tlsext_ticket_keys(context, (void *)keys, count) == 1;
}

/// Adds a certificate of the chain behind the first one.
static inline bool perigee_context_add_chain(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate) == 1;
}

/// `choose` is asked in every handshake which certificate serves the name that the client gave.
static inline void perigee_context_on_server_name(
    SSL_CTX *context, int (*choose)(SSL *, int *, void *), void *argument) {
    SSL_CTX_set_tlsext_servername_callback(context, choose);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
}

static inline bool perigee_set_server_name(SSL *ssl, const char *name) {
    return SSL_set_tlsext_host_name(ssl, name) == 1;
}

// --- reading certificates and keys ---

static inline int perigee_no_passphrase(char *buffer, int size, int writes, void *context) {
    (void)buffer, (void)size, (void)writes, (void)context;
    return 0;
}

/// The next certificate of a PEM file, NULL when there is none; free it with X509_free.
static inline X509 *perigee_read_certificate(BIO *file) {
    return PEM_read_bio_X509(file, NULL, perigee_no_passphrase, NULL);
}

/// The private key of a PEM file, NULL when there is none or it wants a passphrase; free it with EVP_PKEY_free.
static inline EVP_PKEY *perigee_read_key(BIO *file) {
    return PEM_read_bio_PrivateKey(file, NULL, perigee_no_passphrase, NULL);
}

/// Whether the last error says that a file's PEM came to its end, and forgets it if so.
static inline bool perigee_is_end_of_pem(void) {
    unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE) return false;
    ERR_clear_error();
    return true;
}

/// Calls `each` with every DNS name that the certificate is for.
static inline void perigee_certificate_names(
    X509 *certificate, void *context, void (*each)(void *context, const unsigned char *name, int count)) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int index = 0; index < sk_GENERAL_NAME_num(names); index++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
        if (name->type != GEN_DNS) continue;
        each(context, ASN1_STRING_get0_data(name->d.dNSName), ASN1_STRING_length(name->d.dNSName));
    }
    GENERAL_NAMES_free(names);
}

/// Seconds until the certificate expires, negative when it has.
static inline int64_t perigee_certificate_time_left(const X509 *certificate) {
    int days = 0, seconds = 0;
    ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate));
    return (int64_t)days * 86400 + seconds;
}

/// Writes a certificate's subject as RFC 2253 text to a memory BIO.
static inline bool perigee_write_subject(BIO *out, const X509 *certificate) {
    return X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0;
}

// --- memory BIOs ---

/// The content of a memory BIO; the address is valid until it is written to.
static inline long perigee_memory(BIO *memory, const char **bytes) {
    return BIO_get_mem_data(memory, (char **)bytes);
}

/// An empty memory BIO is one to wait for, not one that has ended.
static inline void perigee_memory_waits(BIO *memory) { BIO_set_mem_eof_return(memory, -1); }

static inline void perigee_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void perigee_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

#endif
