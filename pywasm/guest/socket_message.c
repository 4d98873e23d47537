/* Messages: several buffers at once, over calls that take one. No socket here
 * carries anything but bytes, so what POSIX calls ancillary data is refused on
 * its way out, and none ever comes in. */
#include "socket_host.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* No datagram is larger, and a stream may take less than it is given. */
#define MOST_BYTES (64 * 1024)

/* How many bytes the buffers have, -1 with errno where they are too many. */
static ssize_t
size_of(const struct msghdr *message)
{
    size_t total = 0;
    if (message->msg_iovlen < 0 || message->msg_iovlen > IOV_MAX) {
        return socket_result(EMSGSIZE);
    }
    for (int i = 0; i < message->msg_iovlen; i++) {
        size_t size = message->msg_iov[i].iov_len;
        if (size > SSIZE_MAX - total) {
            return socket_result(EINVAL);
        }
        total += size;
    }
    return (ssize_t)total;
}

/* 1 for a stream, 0 for datagrams, -1 with errno. */
static int
is_stream(int fd)
{
    int type;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ? -1 : type == SOCK_STREAM;
}

/* Copies at most size bytes between the buffers and flat. */
static void
copy_buffers(const struct msghdr *message, char *flat, size_t size, bool gather)
{
    for (int i = 0; i < message->msg_iovlen && size > 0; i++) {
        const struct iovec *part = &message->msg_iov[i];
        size_t n = part->iov_len < size ? part->iov_len : size;
        if (n > 0) {
            memcpy(gather ? flat : part->iov_base, gather ? part->iov_base : flat, n);
        }
        flat += n;
        size -= n;
    }
}

static ssize_t
send_gathered(int fd, const struct msghdr *message, size_t size, int flags)
{
    char *flat = malloc(size > 0 ? size : 1);
    if (flat == NULL) {
        return socket_result(ENOMEM);
    }
    copy_buffers(message, flat, size, true);
    ssize_t sent = sendto(fd, flat, size, flags, message->msg_name, message->msg_namelen);
    free(flat);
    return sent;
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t size = size_of(message);
    if (size < 0) {
        return -1;
    }
    if (message->msg_controllen > 0) {
        return socket_result(EOPNOTSUPP);
    }
    if (message->msg_iovlen == 1) {
        return sendto(fd, message->msg_iov[0].iov_base, size, flags, message->msg_name, message->msg_namelen);
    }
    if (size > MOST_BYTES) {
        int stream = is_stream(fd);
        if (stream <= 0) {
            return stream < 0 ? -1 : socket_result(EMSGSIZE);
        }
        size = MOST_BYTES;
    }
    return send_gathered(fd, message, size, flags);
}

/* A datagram gets one byte more than was asked for: when that is used,
 * something was cut off. */
static ssize_t
receive_scattered(int fd, struct msghdr *message, size_t size, int flags, bool stream)
{
    size_t most = size < MOST_BYTES || (flags & MSG_WAITALL) != 0 ? size : MOST_BYTES;
    char *flat = malloc(most + 1);
    if (flat == NULL) {
        return socket_result(ENOMEM);
    }
    ssize_t received = recvfrom(fd, flat, most + !stream, flags, message->msg_name,
                                message->msg_name == NULL ? NULL : &message->msg_namelen);
    if (received > (ssize_t)most) {
        message->msg_flags = MSG_TRUNC;
        received = most;
    }
    if (received > 0) {
        copy_buffers(message, flat, received, false);
    }
    free(flat);
    return received;
}

ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t size = size_of(message);
    int stream = size < 0 ? -1 : is_stream(fd);
    if (stream < 0) {
        return -1;
    }
    message->msg_flags = 0;
    message->msg_controllen = 0;
    if (stream) { /* whose peer is known, as on Linux */
        message->msg_name = NULL;
        message->msg_namelen = 0;
    }
    if (stream && message->msg_iovlen == 1) {
        return recv(fd, message->msg_iov[0].iov_base, size, flags);
    }
    return receive_scattered(fd, message, size, flags, stream);
}
