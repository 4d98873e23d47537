/* Why the network was refused. The host answers ENOTCAPABLE for nothing else,
 * and Python makes a PermissionError of it, with the text that strerror has. */
#include "socket_host.h"

#include <errno.h>

char *__real_strerror(int error);
char *__wrap_strerror(int error);

char *
__wrap_strerror(int error)
{
    static char text[512];
    size_t size = 0;
    if (error != ENOTCAPABLE || socket_refusal(text, sizeof text - 1, &size) != 0 || size == 0) {
        return __real_strerror(error);
    }
    text[size] = '\0';
    return text;
}
