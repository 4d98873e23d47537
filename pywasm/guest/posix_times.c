/* os.times(). wasi-libc's counts in nanoseconds, as its clock() does, where
 * sysconf(_SC_CLK_TCK) says that there are 100 ticks in a second. */
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

enum { NANOSECONDS = 1000000000 };

clock_t
times(struct tms *used)
{
    long tick = NANOSECONDS / sysconf(_SC_CLK_TCK);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    *used = (struct tms){.tms_utime = clock() / tick};
    return (clock_t)now.tv_sec * (NANOSECONDS / tick) + now.tv_nsec / tick;
}
