/* The life of a socket in POSIX's words: open, connect, ask who is there.
 * Reading, writing, closing and polling are the C library's own, because a
 * socket is a descriptor like any other. */
#include "socket_host.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
socket_fail(int32_t error)
{
    errno = error;
    return -1;
}

/* The kind of a socket without what Linux puts beside it; -1 is none of ours. */
static int
kind_of(int type)
{
    switch (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) {
    case SOCK_STREAM: return 1;
    case SOCK_DGRAM: return 0;
    default: return -1;
    }
}

static int
apply_type(int fd, int type)
{
    return (type & SOCK_NONBLOCK) == 0 ? 0 : fcntl(fd, F_SETFL, O_NONBLOCK);
}

static bool
protocol_fits(int stream, int protocol)
{
    return protocol == 0 || protocol == (stream ? IPPROTO_TCP : IPPROTO_UDP);
}

int
socket(int domain, int type, int protocol)
{
    int stream = kind_of(type), fd;
    char where[512];
    if (domain == AF_UNIX) {
        return socket_result(socket_refuse(WASGI_REFUSE_UNIX));
    }
    if (domain != AF_INET && domain != AF_INET6) {
        return socket_fail(EAFNOSUPPORT);
    }
    if (stream < 0) {
        return socket_result(socket_refuse(WASGI_REFUSE_RAW));
    }
    if (!protocol_fits(stream, protocol)) {
        return socket_fail(EPROTONOSUPPORT);
    }
    size_t size = socket_where(where, sizeof where);
    if (socket_result(socket_open(domain == AF_INET ? 4 : 6, stream, where, size, &fd)) < 0) {
        return -1;
    }
    return apply_type(fd, type) < 0 ? -1 : fd;
}

int
socketpair(int domain, int type, int protocol, int fds[2])
{
    int stream = kind_of(type);
    char where[512];
    if (domain != AF_UNIX && domain != AF_INET) {
        return socket_fail(EAFNOSUPPORT);
    }
    if (stream < 0 || !protocol_fits(stream, protocol)) {
        return socket_fail(EPROTONOSUPPORT);
    }
    size_t size = socket_where(where, sizeof where);
    if (socket_result(socket_pair(stream, where, size, fds)) < 0) {
        return -1;
    }
    return apply_type(fds[0], type) < 0 ? -1 : apply_type(fds[1], type);
}

int
connect(int fd, const struct sockaddr *address, socklen_t size)
{
    struct wire_address to;
    if (!address_to_wire(address, size, &to)) {
        return -1;
    }
    return socket_result(socket_connect(fd, &to));
}

/* Any port of any address is what an unbound socket has anyway. */
int
bind(int fd, const struct sockaddr *address, socklen_t size)
{
    struct wire_address at, now;
    if (!address_to_wire(address, size, &at) || socket_result(socket_name(fd, 0, &now)) < 0) {
        return -1;
    }
    bool any = at.port == 0;
    for (size_t i = 0; i < sizeof at.bytes; i++) {
        any = any && at.bytes[i] == 0;
    }
    return any ? 0 : socket_result(socket_refuse(WASGI_REFUSE_BIND));
}

int
listen(int fd, int backlog)
{
    struct wire_address now;
    (void)backlog;
    if (socket_result(socket_name(fd, 0, &now)) < 0) {
        return -1;
    }
    return socket_result(socket_refuse(WASGI_REFUSE_LISTEN));
}

int
accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags)
{
    struct wire_address now;
    (void)address, (void)size, (void)flags;
    return socket_result(socket_name(fd, 0, &now)) < 0 ? -1 : socket_fail(EINVAL);
}

int
accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    return accept4(fd, address, size, 0);
}

static int
name_of(int fd, int peer, struct sockaddr *address, socklen_t *size)
{
    struct wire_address name;
    if (socket_result(socket_name(fd, peer, &name)) < 0) {
        return -1;
    }
    *size = address_from_wire(&name, address, *size);
    return 0;
}

int
getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    return name_of(fd, 0, address, size);
}

int
getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    return name_of(fd, 1, address, size);
}

int
shutdown(int fd, int how)
{
    return socket_result(socket_shutdown(fd, how));
}
