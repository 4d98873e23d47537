/* What musl's time zones (recipe tz) need: a whole file of the tz database, or of
 * TZ=:/path, in memory, for there is no mmap; and the name of a zone as the C
 * library of other systems tells it. */
#include "posix.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char *tzname[2];

/* For strftime's %Z. musl takes no name that is not in its own tables, and Python
 * passes the one that a struct_time remembers. */
const char *
__tm_to_tzname(const struct tm *tm)
{
    if (tm->tm_zone != NULL) {
        return tm->tm_zone;
    }
    tzset();
    return tzname[tm->tm_isdst > 0];
}

/* The largest file of the tz database has 4 KiB. */
enum { MAX_ZONE = 1 << 20 };

static unsigned char *
read_all(int fd, size_t size)
{
    unsigned char *data = malloc(size);
    size_t have = 0;
    while (data != NULL && have < size) {
        ssize_t n = read(fd, data + have, size - have);
        if (n <= 0) {
            free(data);
            return NULL;
        }
        have += (size_t)n;
    }
    return data;
}

/* The bytes of a file and how many they are, or NULL. */
const unsigned char *
__map_file(const char *path, size_t *size)
{
    unsigned char *data = NULL;
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
        info.st_size <= MAX_ZONE) {
        *size = (size_t)info.st_size;
        data = read_all(fd, *size);
    }
    close(fd);
    return data;
}

void
__unmap_file(const void *data, unsigned long size)
{
    (void)size;
    free((void *)data);
}
