/* The older calls for names, on top of getaddrinfo, and names for errors. They
 * return memory of their own; there is one thread. */
#include "socket_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

_Thread_local int h_errno;

enum { MOST_OLD = 16 };

static struct hostent *
fill(const char *name, const struct addrinfo *list)
{
    static struct hostent entry;
    static struct in_addr addresses[MOST_OLD];
    static char *pointers[MOST_OLD + 1], *aliases[] = {NULL}, known[256];
    size_t count = 0;
    for (; list != NULL && count < MOST_OLD; list = list->ai_next) {
        addresses[count] = ((const struct sockaddr_in *)list->ai_addr)->sin_addr;
        pointers[count] = (char *)&addresses[count];
        count++;
    }
    pointers[count] = NULL;
    snprintf(known, sizeof known, "%s", name);
    entry = (struct hostent){known, aliases, AF_INET, sizeof(struct in_addr), pointers};
    return &entry;
}

struct hostent *
gethostbyname(const char *name)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    int error = getaddrinfo(name, NULL, &hints, &list);
    if (error != 0) {
        h_errno = error == EAI_AGAIN ? TRY_AGAIN : error == EAI_SYSTEM ? NO_RECOVERY : HOST_NOT_FOUND;
        return NULL;
    }
    struct hostent *entry = fill(name, list);
    freeaddrinfo(list);
    return entry;
}

/* Of addresses only the machine's own has a name here. */
struct hostent *
gethostbyaddr(const void *address, socklen_t size, int family)
{
    static const unsigned char loopback[4] = {127, 0, 0, 1};
    if (family == AF_INET && size == 4 && memcmp(address, loopback, 4) == 0) {
        return gethostbyname("localhost");
    }
    h_errno = HOST_NOT_FOUND;
    return NULL;
}

static int
write_port(int port, int flags, char *out, socklen_t size)
{
    struct servent *s = (flags & NI_NUMERICSERV) != 0
                            ? NULL
                            : getservbyport(htons((uint16_t)port), (flags & NI_DGRAM) != 0 ? "udp" : "tcp");
    int length = s != NULL ? snprintf(out, size, "%s", s->s_name) : snprintf(out, size, "%d", port);
    return length < 0 || (socklen_t)length >= size ? EAI_OVERFLOW : 0;
}

int
getnameinfo(const struct sockaddr *restrict address, socklen_t address_size, char *restrict host,
            socklen_t host_size, char *restrict service, socklen_t service_size, int flags)
{
    struct wire_address a;
    if (!address_to_wire(address, address_size, &a)) {
        return EAI_FAMILY;
    }
    if ((flags & NI_NAMEREQD) != 0) {
        return EAI_NONAME;
    }
    if (host != NULL && host_size > 0 &&
        inet_ntop(a.family == 4 ? AF_INET : AF_INET6, a.bytes, host, host_size) == NULL) {
        return EAI_OVERFLOW;
    }
    return service != NULL && service_size > 0 ? write_port(a.port, flags, service, service_size) : 0;
}

const char *
gai_strerror(int error)
{
    switch (error) {
    case EAI_BADFLAGS: return "Invalid flags";
    case EAI_NONAME: return "Name or service not known";
    case EAI_AGAIN: return "Temporary failure in name resolution";
    case EAI_FAIL: return "Non-recoverable failure in name resolution";
    case EAI_FAMILY: return "ai_family not supported";
    case EAI_SOCKTYPE: return "ai_socktype not supported";
    case EAI_SERVICE: return "Servname not supported for ai_socktype";
    case EAI_MEMORY: return "Memory allocation failure";
    case EAI_SYSTEM: return "System error";
    case EAI_OVERFLOW: return "Argument buffer overflow";
    default: return "Unknown error";
    }
}

const char *
hstrerror(int error)
{
    switch (error) {
    case HOST_NOT_FOUND: return "Unknown host";
    case TRY_AGAIN: return "Host name lookup failure";
    case NO_RECOVERY: return "Unknown server error";
    case NO_DATA: return "No address associated with name";
    default: return "Unknown error";
    }
}
