// The calls of libcurl that Swift cannot import by itself: options and questions go through functions with a variable number of
// arguments, so each kind of them has a function here.
#ifndef PERIGEE_CCURL_SHIM_H
#define PERIGEE_CCURL_SHIM_H

#include <curl/curl.h>

typedef size_t (*perigee_curl_receive)(char *bytes, size_t size, size_t count, void *context);

// --- one transfer ---

static inline CURLcode perigee_easy_set_number(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode perigee_easy_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

/// For options that keep the pointer they are given.
static inline CURLcode perigee_easy_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

/// The transfer keeps the URL, which must live as long.
static inline CURLcode perigee_easy_set_url(CURL *easy, CURLU *url) {
    return curl_easy_setopt(easy, CURLOPT_CURLU, url);
}

/// Copies the body.
static inline CURLcode perigee_easy_set_body(CURL *easy, const void *bytes, size_t count) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, (const char *)bytes) : code;
}

/// Hands what arrives to `head`, a line at a time, and to `body`.
static inline CURLcode perigee_easy_on_receive(
    CURL *easy, perigee_curl_receive head, perigee_curl_receive body, void *context) {
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, context);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body);
    return curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
}

/// Lets `open` make the sockets, after it has seen which address each is for.
static inline CURLcode perigee_easy_on_open_socket(
    CURL *easy, curl_socket_t (*open)(void *context, curlsocktype purpose, struct curl_sockaddr *address),
    void *context) {
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open);
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, context);
}

/// Asks `start` before libcurl looks up a host whose address it does not have; anything but 0 ends the transfer.
static inline CURLcode perigee_easy_on_resolve(
    CURL *easy, int (*start)(void *state, void *reserved, void *context), void *context) {
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, start);
    return curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, context);
}

/// The address to which libcurl is about to connect: `addrlen` bytes, which may be more than a `struct sockaddr` has.
static inline const void *perigee_address_bytes(const struct curl_sockaddr *address) { return &address->addr; }

static inline long perigee_easy_number(CURL *easy, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

static inline void *perigee_easy_context(CURL *easy) {
    char *context = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &context);
    return context;
}

// --- all transfers of a loop ---

static inline CURLMcode perigee_multi_set_number(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

/// `watch` is told which socket to watch for what, `wait` in how many milliseconds to call back (-1: not at all).
static inline void perigee_multi_on_change(
    CURLM *multi, int (*watch)(CURL *easy, curl_socket_t socket, int what, void *context, void *ours),
    int (*wait)(CURLM *multi, long milliseconds, void *context), void *context) {
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, wait);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
}

/// The next transfer that is over, NULL when there is none.
static inline CURL *perigee_multi_next_done(CURLM *multi, CURLcode *result) {
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL;) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}

#endif
