/* Bytes in and out of a socket. */
#include "socket_host.h"

ssize_t
sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address,
       socklen_t address_size)
{
    struct wire_address to;
    size_t sent;
    if (address != NULL && !address_to_wire(address, address_size, &to)) {
        return -1;
    }
    if (socket_result(socket_send(fd, data, size, flags, address == NULL ? NULL : &to, &sent)) < 0) {
        return -1;
    }
    return (ssize_t)sent;
}

ssize_t
send(int fd, const void *data, size_t size, int flags)
{
    return sendto(fd, data, size, flags, NULL, 0);
}

ssize_t
recvfrom(int fd, void *restrict data, size_t size, int flags,
         struct sockaddr *restrict address, socklen_t *restrict address_size)
{
    struct wire_address from;
    size_t received;
    bool wanted = address != NULL && address_size != NULL;
    if (socket_result(socket_recv(fd, data, size, flags, wanted ? &from : NULL, &received)) < 0) {
        return -1;
    }
    if (wanted) {
        *address_size = address_from_wire(&from, address, *address_size);
    }
    return (ssize_t)received;
}

ssize_t
recv(int fd, void *data, size_t size, int flags)
{
    return recvfrom(fd, data, size, flags, NULL, NULL);
}
