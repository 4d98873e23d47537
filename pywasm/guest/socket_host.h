/* The calls of sockets that WASI lacks, as the host provides them, and what the
 * files of sockets share. Package abi documents each import (sockets.go);
 * all return an error number of WASI, which is the C library's errno. */
#ifndef WASGI_SOCKET_HOST_H
#define WASGI_SOCKET_HOST_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "abi.h"

#define SOCKET_IMPORT(name) \
    __attribute__((import_module(WASGI_SOCKET_MODULE), import_name(name)))

/* An address on its way between guest and host. */
struct wire_address {
    uint16_t family; /* 4, 6, or 0 for none */
    uint16_t port;
    uint32_t scope;
    uint8_t bytes[16];
};
_Static_assert(sizeof(struct wire_address) == WASGI_SOCKET_ADDRESS_SIZE, "the host reads and writes it");

SOCKET_IMPORT(WASGI_SOCKET_OPEN)
int32_t socket_open(int32_t family, int32_t stream, const char *where, size_t size, int *fd);

SOCKET_IMPORT(WASGI_SOCKET_PAIR)
int32_t socket_pair(int32_t stream, const char *where, size_t size, int fds[2]);

SOCKET_IMPORT(WASGI_SOCKET_CONNECT)
int32_t socket_connect(int fd, const struct wire_address *to);

SOCKET_IMPORT(WASGI_SOCKET_NAME)
int32_t socket_name(int fd, int32_t peer, struct wire_address *name);

SOCKET_IMPORT(WASGI_SOCKET_SEND)
int32_t socket_send(int fd, const void *data, size_t size, int flags,
                    const struct wire_address *to, size_t *sent);

SOCKET_IMPORT(WASGI_SOCKET_RECEIVE)
int32_t socket_recv(int fd, void *data, size_t size, int flags,
                    struct wire_address *from, size_t *received);

SOCKET_IMPORT(WASGI_SOCKET_SHUTDOWN)
int32_t socket_shutdown(int fd, int how);

SOCKET_IMPORT(WASGI_SOCKET_OPTION_GET)
int32_t socket_option_get(int fd, int level, int name, int *value);

SOCKET_IMPORT(WASGI_SOCKET_OPTION_SET)
int32_t socket_option_set(int fd, int level, int name, int value);

SOCKET_IMPORT(WASGI_SOCKET_RESOLVE)
int32_t socket_resolve(const char *name, size_t size, struct wire_address *found,
                       size_t most, size_t *count);

SOCKET_IMPORT(WASGI_SOCKET_REFUSE)
int32_t socket_refuse(int32_t what);

SOCKET_IMPORT(WASGI_SOCKET_REFUSAL)
int32_t socket_refusal(char *text, size_t most, size_t *size);

/* socket_address.c: false sets errno. */
bool address_to_wire(const struct sockaddr *from, socklen_t size, struct wire_address *to);
socklen_t address_size(const struct wire_address *from);
socklen_t address_from_wire(const struct wire_address *from, struct sockaddr *to, socklen_t size);

/* socket_where.c: the application's line that runs now, as file:line; its
 * length, 0 when there is none or nobody needs it. */
size_t socket_where(char *text, size_t most);

/* services.c: the port of a service by number or name, -1 when unknown. */
int service_port(const char *name);

/* 0, or -1 with errno. */
static inline int
socket_result(int32_t error)
{
    extern int socket_fail(int32_t error);
    return error == 0 ? 0 : socket_fail(error);
}

#endif
