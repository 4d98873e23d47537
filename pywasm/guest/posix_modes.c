/* The modes of files: stat, access, chmod, umask, and the mode of what is made.
wasi-libc's functions of these names know none. Those that lie in an object of
their own are replaced by name; for the others, link.sh has the linker call
__wrap_NAME (ld --wrap). */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>
#include <wasi/libc-find-relpath.h>

#include "host_files.h"
#include "posix.h"

#define PERMISSIONS 0777

/* Part of a snapshot, as of a process that forks. */
static unsigned mask = 022;

unsigned umask(unsigned next) {
    unsigned old = mask;
    mask = next & PERMISSIONS;
    return old;
}

static int fail(int number) {
    errno = number;
    return -1;
}

static mode_t type_of(__wasi_filetype_t type) {
    switch (type) {
    case __WASI_FILETYPE_BLOCK_DEVICE: return S_IFBLK;
    case __WASI_FILETYPE_CHARACTER_DEVICE: return S_IFCHR;
    case __WASI_FILETYPE_DIRECTORY: return S_IFDIR;
    case __WASI_FILETYPE_REGULAR_FILE: return S_IFREG;
    case __WASI_FILETYPE_SOCKET_DGRAM:
    case __WASI_FILETYPE_SOCKET_STREAM: return S_IFSOCK;
    case __WASI_FILETYPE_SYMBOLIC_LINK: return S_IFLNK;
    default: return 0;
    }
}

static struct timespec time_of(__wasi_timestamp_t nanoseconds) {
    return (struct timespec){.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
}

/* word is in the padding behind the type, where this host puts it. */
static uint16_t word(const __wasi_filestat_t *in) {
    uint16_t mode;
    memcpy(&mode, (const char *)in + WASGI_FILE_MODE_OFFSET, sizeof mode);
    return mode;
}

/* A host that knows no permissions gets what is usual. */
static mode_t permissions(const __wasi_filestat_t *in) {
    uint16_t mode = word(in);
    if (mode & WASGI_FILE_MODE_KNOWN)
        return mode & PERMISSIONS;
    return in->filetype == __WASI_FILETYPE_DIRECTORY ? 0755 : 0644;
}

static void public_stat(const __wasi_filestat_t *in, struct stat *out) {
    *out = (struct stat){
        .st_dev = in->dev,
        .st_ino = in->ino,
        .st_nlink = in->nlink,
        .st_mode = type_of(in->filetype) | permissions(in),
        .st_uid = WASGI_USER_ID,
        .st_gid = WASGI_USER_ID,
        .st_size = in->size,
        .st_blocks = (in->size + 511) / 512,
        .st_atim = time_of(in->atim),
        .st_mtim = time_of(in->mtim),
        .st_ctim = time_of(in->ctim),
    };
}

int fstat(int fd, struct stat *out) {
    __wasi_filestat_t in;
    __wasi_errno_t error = __wasi_fd_filestat_get(fd, &in);
    if (error != 0)
        return fail(error == ENOTCAPABLE ? EBADF : error);
    public_stat(&in, out);
    return 0;
}

static __wasi_lookupflags_t lookup_of(int flag) {
    return flag & AT_SYMLINK_NOFOLLOW ? 0 : __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW;
}

int __wasilibc_nocwd_fstatat(int fd, const char *restrict path, struct stat *restrict out, int flag) {
    __wasi_filestat_t in;
    __wasi_errno_t error = __wasi_path_filestat_get(fd, lookup_of(flag), path, &in);
    if (error != 0)
        return fail(error);
    public_stat(&in, out);
    return 0;
}

/* Every file belongs to the one user: the owner's bits decide. */
int __wasilibc_nocwd_faccessat(int fd, const char *path, int amode, int flag) {
    __wasi_filestat_t in;
    if ((amode & ~(F_OK | R_OK | W_OK | X_OK)) != 0 || (flag & ~AT_EACCESS) != 0)
        return fail(EINVAL);
    __wasi_errno_t error = __wasi_path_filestat_get(fd, lookup_of(0), path, &in);
    if (error != 0)
        return fail(error);
    if ((amode & W_OK) && (word(&in) & WASGI_FILE_MODE_KNOWN) && (word(&in) & WASGI_FILE_MODE_MOUNTED))
        return fail(EROFS);
    int wanted = (amode & R_OK ? S_IRUSR : 0) | (amode & W_OK ? S_IWUSR : 0) | (amode & X_OK ? S_IXUSR : 0);
    return (permissions(&in) & wanted) == (mode_t)wanted ? 0 : fail(EACCES);
}

/* announce tells the host the mode of what the next call makes. A host without
modes does not know the call, and nothing is lost. */
static void announce(unsigned mode) { files_create_mode(mode & ~mask & PERMISSIONS); }

int __real_open(const char *path, int oflag, ...);
int __real_openat(int fd, const char *path, int oflag, ...);
int __real_mkdir(const char *path, mode_t mode);
int __real_mkdirat(int fd, const char *path, mode_t mode);

#define ANNOUNCE_VARIADIC(oflag)      \
    if ((oflag) & O_CREAT) {          \
        va_list rest;                 \
        va_start(rest, oflag);        \
        announce(va_arg(rest, int));  \
        va_end(rest);                 \
    }

int __wrap_open(const char *path, int oflag, ...) {
    ANNOUNCE_VARIADIC(oflag)
    return __real_open(path, oflag);
}

int __wrap_openat(int fd, const char *path, int oflag, ...) {
    ANNOUNCE_VARIADIC(oflag)
    return __real_openat(fd, path, oflag);
}

int __wrap_mkdir(const char *path, mode_t mode) {
    announce(mode);
    return __real_mkdir(path, mode);
}

int __wrap_mkdirat(int fd, const char *path, mode_t mode) {
    announce(mode);
    return __real_mkdirat(fd, path, mode);
}

static int finish(int32_t error) { return error == 0 ? 0 : fail(error); }

int __wrap_fchmod(int fd, mode_t mode) { return finish(files_fd_chmod(fd, mode)); }

static int chmod_below(int fd, const char *path, mode_t mode, int flag) {
    return finish(files_path_chmod(fd, lookup_of(flag), path, strlen(path), mode));
}

static int chmod_path(const char *path, mode_t mode, int flag) {
    static char *relative; /* kept for the next call, as wasi-libc keeps its own */
    static size_t room;
    const char *prefix;
    int fd = __wasilibc_find_relpath_alloc(path, &prefix, &relative, &room, 1);
    return fd < 0 ? -1 : chmod_below(fd, relative, mode, flag);
}

int __wrap_chmod(const char *path, mode_t mode) { return chmod_path(path, mode, 0); }

int __wrap_fchmodat(int fd, const char *path, mode_t mode, int flag) {
    if (fd == AT_FDCWD || path[0] == '/')
        return chmod_path(path, mode, flag);
    return chmod_below(fd, path, mode, flag);
}
