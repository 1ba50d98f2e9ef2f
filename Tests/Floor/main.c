// The floor of `make compare`: the least that a server on epoll can do for an echo and for a push, as the practical limit on a
// machine. It checks nothing and is no server: it sends every frame back unmasked, answers any GET with the 101 for the one key
// that perigee-bench sends, and sends the body of any POST as a text frame to every connection that has upgraded.
//
// Each connection is read once and written once per event, as Perigee does, so the difference between the two is what Perigee's
// checks, scripts, channels and limits cost.
//
// Usage: perigee-floor [anything]; it listens on a free port of 127.0.0.1 and tells it as `perigee serve` does.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { input_size = 1 << 19, output_size = 1 << 20, most_clients = 1 << 16, most_events = 1024 };

typedef struct {
    int descriptor;
    int place;        // in `clients`; -1 before the upgrade
    uint8_t *partial; // the beginning of a frame or a request whose rest has not arrived
    uint32_t partial_count;
} Connection;

static int epoll;
static Connection *clients[most_clients];
static int client_count;
static uint8_t input[input_size + 1];
static uint8_t output[output_size];

static const char upgrade[] = "HTTP/1.1 101 Switching Protocols\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: DoplVi/yP9955YI75PZ+iVmMTuw=\r\n\r\n";

static void fail(const char *call)
{
    perror(call);
    exit(1);
}

// Sends all of it; waits for a peer whose window is full.
static void send_all(int descriptor, const uint8_t *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(descriptor, bytes, count, MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes += sent;
            count -= (size_t)sent;
        } else if (errno == EAGAIN) {
            struct pollfd entry = {.fd = descriptor, .events = POLLOUT};
            poll(&entry, 1, -1);
        } else {
            return; // the peer is gone, and its next event says so
        }
    }
}

// Writes the header of an unmasked frame of up to 64 KiB; returns its size.
static size_t write_header(uint8_t *to, uint8_t first, size_t payload)
{
    to[0] = first;
    if (payload < 126) {
        to[1] = (uint8_t)payload;
        return 2;
    }
    to[1] = 126;
    to[2] = (uint8_t)(payload >> 8);
    to[3] = (uint8_t)payload;
    return 4;
}

static void unmask(uint8_t *to, const uint8_t *from, size_t count, const uint8_t *key)
{
    uint32_t four;
    memcpy(&four, key, sizeof four);
    uint64_t eight = (uint64_t)four << 32 | four;
    size_t i = 0;
    for (; i + sizeof eight <= count; i += sizeof eight) {
        uint64_t word;
        memcpy(&word, from + i, sizeof word);
        word ^= eight;
        memcpy(to + i, &word, sizeof word);
    }
    for (; i < count; i++) {
        to[i] = from[i] ^ key[i & 3];
    }
}

// Sends every complete frame back, in one write; returns the bytes that they take. A length of 64 bits is not read: -1.
static ssize_t echo(Connection *connection, const uint8_t *bytes, size_t count)
{
    size_t used = 0, written = 0;
    while (count - used >= 6) {
        const uint8_t *frame = bytes + used;
        size_t payload = frame[1] & 127, header = 6;
        if (payload == 127) {
            return -1;
        }
        if (payload == 126) {
            payload = (size_t)frame[2] << 8 | frame[3];
            header = 8;
        }
        if (count - used < header + payload) {
            break;
        }
        written += write_header(output + written, frame[0], payload);
        unmask(output + written, frame + header, payload, frame + header - 4);
        written += payload;
        used += header + payload;
    }
    send_all(connection->descriptor, output, written);
    return (ssize_t)used;
}

// Sends the body of every complete POST to all clients, in one write each, and then all responses in one write; returns the bytes
// that the requests take. A body over 64 KiB is not read: -1.
static ssize_t push(Connection *connection, uint8_t *bytes, size_t count)
{
    static uint8_t responses[1 << 17];
    char response[96], number[16];
    int number_size = snprintf(number, sizeof number, "%d", client_count);
    int response_size = snprintf(
        response, sizeof response, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n{\"matched\":%s}", number_size + 12, number);
    size_t used = 0, written = 0, answered = 0;
    bytes[count] = 0;
    while (used < count && answered + (size_t)response_size <= sizeof responses) {
        char *request = (char *)bytes + used;
        char *end = strstr(request, "\r\n\r\n");
        char *length = strstr(request, "\r\nContent-Length: ");
        if (end == NULL || length == NULL || length > end) {
            break;
        }
        size_t head = (size_t)(end + 4 - request), body = strtoul(length + 18, NULL, 10);
        if (body > UINT16_MAX) {
            return -1;
        }
        if (count - used < head + body) {
            break;
        }
        written += write_header(output + written, 0x81, body);
        memcpy(output + written, request + head, body);
        written += body;
        memcpy(responses + answered, response, (size_t)response_size);
        answered += (size_t)response_size;
        used += head + body;
    }
    for (int i = 0; i < client_count && written > 0; i++) {
        send_all(clients[i]->descriptor, output, written);
    }
    send_all(connection->descriptor, responses, answered);
    return (ssize_t)used;
}

// Answers an opening handshake, whose end a client waits for before it sends a frame; returns the bytes that it takes.
static ssize_t answer_handshake(Connection *connection, uint8_t *bytes, size_t count)
{
    bytes[count] = 0;
    if (client_count == most_clients) {
        return -1;
    }
    if (strstr((char *)bytes, "\r\n\r\n") == NULL) {
        return 0;
    }
    connection->place = client_count;
    clients[client_count++] = connection;
    send_all(connection->descriptor, (const uint8_t *)upgrade, sizeof upgrade - 1);
    return (ssize_t)count;
}

static void hang_up(Connection *connection)
{
    if (connection->place >= 0) {
        clients[connection->place] = clients[--client_count];
        clients[connection->place]->place = connection->place;
    }
    close(connection->descriptor);
    free(connection->partial);
    free(connection);
}

// Keeps the beginning of a frame or a request for the next event.
static void keep(Connection *connection, const uint8_t *bytes, size_t count)
{
    if (count > 0) {
        connection->partial = realloc(connection->partial, count);
        if (connection->partial == NULL) {
            fail("realloc");
        }
        memcpy(connection->partial, bytes, count);
    } else if (connection->partial != NULL) {
        free(connection->partial);
        connection->partial = NULL;
    }
    connection->partial_count = (uint32_t)count;
}

static void receive(Connection *connection)
{
    size_t count = connection->partial_count;
    if (count > 0) {
        memcpy(input, connection->partial, count);
    }
    ssize_t received = recv(connection->descriptor, input + count, input_size - count, 0);
    if (received < 0 && errno == EAGAIN) {
        return;
    }
    if (received <= 0) {
        hang_up(connection);
        return;
    }
    count += (size_t)received;
    ssize_t used;
    if (connection->place >= 0) {
        used = echo(connection, input, count);
    } else if (input[0] == 'P') {
        used = push(connection, input, count);
    } else {
        used = answer_handshake(connection, input, count);
    }
    if (used < 0) {
        hang_up(connection);
        return;
    }
    keep(connection, input + used, count - (size_t)used);
}

static void watch(int descriptor, Connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        fail("epoll_ctl");
    }
}

static void accept_all(int listener)
{
    int descriptor, on = 1;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        Connection *connection = calloc(1, sizeof *connection);
        if (connection == NULL) {
            fail("calloc");
        }
        connection->descriptor = descriptor;
        connection->place = -1;
        watch(descriptor, connection);
    }
}

// Listens on a free port and prints it in the lines in which `perigee serve` prints its own.
static int listen_and_tell(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        fail("listen");
    }
    int port = ntohs(address.sin_port);
    printf("  clients    ws://127.0.0.1:%d\n  admin API  http://127.0.0.1:%d\n", port, port);
    fflush(stdout);
    return listener;
}

int main(void)
{
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_and_tell();
    watch(listener, NULL);
    for (;;) {
        struct epoll_event events[most_events];
        int count = epoll_wait(epoll, events, most_events, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL) {
                accept_all(listener);
            } else {
                receive(events[i].data.ptr);
            }
        }
    }
}
