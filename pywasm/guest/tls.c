/* TLS over a guest's socket. OpenSSL is built without sockets of its own: this
 * is the piece of it that reads and writes a descriptor. */
#include "socket_host.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

static bool
again(void)
{
    return errno == EAGAIN || errno == EINTR || errno == EINPROGRESS || errno == ENOTCONN;
}

static int
fd_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static int
read_socket(BIO *bio, char *data, int size)
{
    errno = 0;
    ssize_t n = recv(fd_of(bio), data, (size_t)size, 0);
    BIO_clear_retry_flags(bio);
    if (n < 0 && again()) {
        BIO_set_retry_read(bio);
    }
    if (n == 0) {
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    }
    return (int)n;
}

static int
write_socket(BIO *bio, const char *data, int size)
{
    errno = 0;
    ssize_t n = send(fd_of(bio), data, (size_t)size, 0);
    BIO_clear_retry_flags(bio);
    if (n < 0 && again()) {
        BIO_set_retry_write(bio);
    }
    return (int)n;
}

static long
control(BIO *bio, int command, long number, void *pointer)
{
    (void)pointer;
    switch (command) {
    case BIO_CTRL_GET_CLOSE: return BIO_get_shutdown(bio);
    case BIO_CTRL_SET_CLOSE: BIO_set_shutdown(bio, (int)number); return 1;
    case BIO_CTRL_DUP:
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    case BIO_C_GET_FD: return fd_of(bio);
    default: return 0;
    }
}

static int
create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *
method(void)
{
    static BIO_METHOD *known;
    if (known == NULL) {
        known = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "guest socket");
        if (known == NULL || !BIO_meth_set_read(known, read_socket) ||
            !BIO_meth_set_write(known, write_socket) || !BIO_meth_set_ctrl(known, control) ||
            !BIO_meth_set_create(known, create)) {
            return NULL;
        }
    }
    return known;
}

/* As OpenSSL has it: the descriptor stays the caller's. */
int
SSL_set_fd(SSL *ssl, int fd)
{
    BIO_METHOD *m = method();
    BIO *bio = m == NULL ? NULL : BIO_new(m);
    if (bio == NULL) {
        return 0;
    }
    BIO_set_data(bio, (void *)(intptr_t)fd);
    SSL_set_bio(ssl, bio, bio);
    return 1;
}
