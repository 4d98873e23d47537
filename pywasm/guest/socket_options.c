/* Options of sockets. The host knows numbers only. */
#include "socket_host.h"

#include <errno.h>
#include <string.h>

static void
copy_out(const void *value, socklen_t whole, void *out, socklen_t *size)
{
    if (*size > whole) {
        *size = whole;
    }
    memcpy(out, value, *size);
}

int
getsockopt(int fd, int level, int name, void *restrict out, socklen_t *restrict size)
{
    int value;
    if (socket_result(socket_option_get(fd, level, name, &value)) < 0) {
        return -1;
    }
    if (level == SOL_SOCKET && name == SO_LINGER) {
        struct linger l = {value >= 0, value >= 0 ? value : 0};
        copy_out(&l, sizeof l, out, size);
    } else {
        copy_out(&value, sizeof value, out, size);
    }
    return 0;
}

int
setsockopt(int fd, int level, int name, const void *in, socklen_t size)
{
    int value = 0;
    if (level == SOL_SOCKET && name == SO_LINGER) {
        struct linger l;
        if (size < sizeof l) {
            errno = EINVAL;
            return -1;
        }
        memcpy(&l, in, sizeof l);
        value = l.l_onoff ? l.l_linger : -1;
    } else if (in == NULL || size < sizeof value) {
        errno = EINVAL;
        return -1;
    } else {
        memcpy(&value, in, sizeof value);
    }
    return socket_result(socket_option_set(fd, level, name, value));
}
