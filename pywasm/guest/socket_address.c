/* Socket addresses between the C library's layout and the host's. */
#include "socket_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

bool
address_to_wire(const struct sockaddr *from, socklen_t size, struct wire_address *to)
{
    memset(to, 0, sizeof *to);
    if (from == NULL || size < sizeof(sa_family_t)) {
        errno = EINVAL;
        return false;
    }
    if (from->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        to->family = 4;
        to->port = ntohs(in->sin_port);
        memcpy(to->bytes, &in->sin_addr, 4);
        return true;
    }
    if (from->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
        to->family = 6;
        to->port = ntohs(in6->sin6_port);
        to->scope = in6->sin6_scope_id;
        memcpy(to->bytes, &in6->sin6_addr, 16);
        return true;
    }
    errno = from->sa_family == AF_INET || from->sa_family == AF_INET6 ? EINVAL : EAFNOSUPPORT;
    return false;
}

socklen_t
address_size(const struct wire_address *from)
{
    switch (from->family) {
    case 4: return sizeof(struct sockaddr_in);
    case 6: return sizeof(struct sockaddr_in6);
    default: return 0;
    }
}

/* Writes at most size bytes and returns how many the address has, as
 * getsockname does. */
socklen_t
address_from_wire(const struct wire_address *from, struct sockaddr *to, socklen_t size)
{
    union {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } address;
    socklen_t whole = address_size(from);
    memset(&address, 0, sizeof address);
    if (from->family == 4) {
        address.in.sin_family = AF_INET;
        address.in.sin_port = htons(from->port);
        memcpy(&address.in.sin_addr, from->bytes, 4);
    } else if (from->family == 6) {
        address.in6.sin6_family = AF_INET6;
        address.in6.sin6_port = htons(from->port);
        address.in6.sin6_scope_id = from->scope;
        memcpy(&address.in6.sin6_addr, from->bytes, 16);
    }
    memcpy(to, &address, size < whole ? size : whole);
    return whole;
}
