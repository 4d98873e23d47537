/* Descriptors that share a file, and locks on files. fcntl takes the place of
wasi-libc's, which has neither. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

#include "host_files.h"
#include "posix.h"

static int finish(int32_t error) {
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

static int dup_from(int fd, int least) {
    uint32_t made;
    if (least < 0)
        return finish(EINVAL);
    return finish(files_dup(fd, least, &made)) == 0 ? (int)made : -1;
}

int dup(int fd) { return dup_from(fd, 0); }

int dup2(int fd, int to) {
    if (to < 0)
        return finish(EBADF);
    return finish(files_dup2(fd, to)) == 0 ? to : -1;
}

static int get_flags(int fd) {
    __wasi_fdstat_t st;
    if (finish(__wasi_fd_fdstat_get(fd, &st)) != 0)
        return -1;
    int reads = (st.fs_rights_base & (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_READDIR)) != 0;
    int writes = (st.fs_rights_base & __WASI_RIGHTS_FD_WRITE) != 0;
    return st.fs_flags | (reads ? O_RDONLY : 0) | (writes ? O_WRONLY : 0) | (reads || writes ? 0 : O_SEARCH);
}

/* normalise makes l_start absolute and l_len not negative. */
static int normalise(int fd, struct flock *lock) {
    off_t base = 0;
    struct stat st;
    switch (lock->l_whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        if ((base = lseek(fd, 0, SEEK_CUR)) < 0)
            return -1;
        break;
    case SEEK_END:
        if (fstat(fd, &st) != 0)
            return -1;
        base = st.st_size;
        break;
    default:
        return finish(EINVAL);
    }
    if (__builtin_add_overflow(lock->l_start, base, &lock->l_start))
        return finish(EOVERFLOW);
    lock->l_whence = SEEK_SET;
    if (lock->l_len < 0) {
        if (__builtin_add_overflow(lock->l_start, lock->l_len, &lock->l_start))
            return finish(EINVAL);
        lock->l_len = -lock->l_len;
    }
    return lock->l_start < 0 ? finish(EINVAL) : 0;
}

/* What the host writes of the lock that is in the way. */
struct found {
    uint32_t kind;
    uint32_t pad;
    int64_t start, length;
};

static int set_lock(int fd, struct flock *lock, uint32_t operation) {
    struct flock own = *lock;
    if (normalise(fd, &own) != 0)
        return -1;
    return finish(files_lock(fd, operation, own.l_type, own.l_start, own.l_len, NULL));
}

static int test_lock(int fd, struct flock *lock) {
    struct found found;
    if (normalise(fd, lock) != 0 ||
        finish(files_lock(fd, WASGI_LOCK_TEST, lock->l_type, lock->l_start, lock->l_len, &found)) != 0)
        return -1;
    lock->l_type = found.kind;
    if (found.kind != F_UNLCK)
        *lock = (struct flock){.l_type = found.kind, .l_whence = SEEK_SET,
                               .l_start = found.start, .l_len = found.length, .l_pid = 1};
    return 0;
}

int fcntl(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    intptr_t argument = command == F_GETFD || command == F_GETFL ? 0 : va_arg(rest, intptr_t);
    va_end(rest);
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return dup_from(fd, argument);
    case F_GETFD: /* nothing is ever executed */
        return get_flags(fd) < 0 ? -1 : FD_CLOEXEC;
    case F_SETFD:
        return get_flags(fd) < 0 ? -1 : 0;
    case F_GETFL:
        return get_flags(fd);
    case F_SETFL:
        return finish(__wasi_fd_fdstat_set_flags(fd, argument & 0xfff));
    case F_GETLK:
        return test_lock(fd, (struct flock *)argument);
    case F_SETLK:
        return set_lock(fd, (struct flock *)argument, WASGI_LOCK_TRY);
    case F_SETLKW:
        return set_lock(fd, (struct flock *)argument, WASGI_LOCK_WAIT);
    default:
        return finish(EINVAL);
    }
}

int lockf(int fd, int operation, off_t size) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_len = size};
    switch (operation) {
    case F_ULOCK:
        lock.l_type = F_UNLCK;
        return fcntl(fd, F_SETLK, &lock);
    case F_LOCK:
        return fcntl(fd, F_SETLKW, &lock);
    case F_TLOCK:
        return fcntl(fd, F_SETLK, &lock);
    case F_TEST:
        if (fcntl(fd, F_GETLK, &lock) != 0)
            return -1;
        return lock.l_type == F_UNLCK ? 0 : finish(EACCES);
    default:
        return finish(EINVAL);
    }
}

int flock(int fd, int operation) { return finish(files_flock(fd, operation)); }
