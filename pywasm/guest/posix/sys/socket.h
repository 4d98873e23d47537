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

/* OpenSSL is built without sockets and leaves this one out; tls.c has it. */
struct ssl_st;
int SSL_set_fd(struct ssl_st *ssl, int fd);

#endif
