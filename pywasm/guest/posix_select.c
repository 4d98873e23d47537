/* select as POSIX has it: a descriptor that is not open is EBADF. wasi-libc's
calls it ready. */
#include <errno.h>
#include <sys/select.h>
#include <wasi/api.h>

int __real_select(int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict excepts, struct timeval *restrict wait);

static int all_open(const fd_set *set) {
    __wasi_fdstat_t st;
    for (size_t i = 0; set != NULL && i < set->__nfds; i++) {
        if (__wasi_fd_fdstat_get(set->__fds[i], &st) != 0)
            return 0;
    }
    return 1;
}

int __wrap_select(int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict excepts, struct timeval *restrict wait) {
    if (!all_open(reads) || !all_open(writes) || !all_open(excepts)) {
        errno = EBADF;
        return -1;
    }
    return __real_select(count, reads, writes, excepts, wait);
}
