/* The C library's <sys/socket.h>, and what it lacks for wasm32-wasip1.
 * CPython is compiled with -D__wasilibc_use_wasip2, which declares most of the
 * calls; socket.c has their code. */
#include_next <sys/socket.h>

#ifndef WASGI_SYS_SOCKET_H
#define WASGI_SYS_SOCKET_H

#define SOCK_RAW 3
#define SOCK_RDM 4
#define SOCK_SEQPACKET 2

/* Linux's numbers, as the C library's own options have them. */
#define SO_BROADCAST 6
#define SO_OOBINLINE 10
#define SO_LINGER 13

int socketpair(int domain, int type, int protocol, int fds[2]);

/* Messages, with Linux's layout and numbers. CPython wants all of it before it
 * has sendmsg and recvmsg; socket_message.c refuses ancillary data. */
#define MSG_CTRUNC 0x0008
#define SCM_RIGHTS 1

struct cmsghdr {
    socklen_t cmsg_len;
    int cmsg_level;
    int cmsg_type;
};

#define CMSG_ALIGN(size) (((size) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))
#define CMSG_LEN(size) (CMSG_ALIGN(sizeof(struct cmsghdr)) + (size))
#define CMSG_SPACE(size) (CMSG_ALIGN(sizeof(struct cmsghdr)) + CMSG_ALIGN(size))
#define CMSG_DATA(header) ((unsigned char *)((header) + 1))
#define CMSG_FIRSTHDR(message) \
    ((message)->msg_controllen >= sizeof(struct cmsghdr) ? (struct cmsghdr *)(message)->msg_control : (struct cmsghdr *)0)
#define CMSG_NXTHDR(message, header) wasgi_next_header((message), (header))

static inline struct cmsghdr *
wasgi_next_header(const struct msghdr *message, const struct cmsghdr *header)
{
    const char *end = (const char *)message->msg_control + message->msg_controllen;
    size_t left = end - (const char *)header;
    if (header->cmsg_len < sizeof *header || header->cmsg_len > left
        || left - header->cmsg_len < CMSG_ALIGN(header->cmsg_len) - header->cmsg_len + sizeof *header) {
        return (struct cmsghdr *)0;
    }
    return (struct cmsghdr *)((char *)header + CMSG_ALIGN(header->cmsg_len));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t recvmsg(int fd, struct msghdr *message, int flags);

/* OpenSSL is built without sockets and leaves this one out; tls.c has it. */
struct ssl_st;
int SSL_set_fd(struct ssl_st *ssl, int fd);

#endif
