/* getaddrinfo: literals and localhost are known here, all other names by the
 * host, which looks at the policy before it asks anybody. */
#include "socket_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ADDRESSES = 64 };

/* What was found, before kinds of sockets multiply it. */
struct found {
    struct wire_address addresses[MOST_ADDRESSES];
    size_t count;
};

static void
add_literal(struct found *f, uint16_t family, const void *bytes)
{
    struct wire_address *a = &f->addresses[f->count++];
    memset(a, 0, sizeof *a);
    a->family = family;
    memcpy(a->bytes, bytes, family == 4 ? 4 : 16);
}

/* Only the written forms of RFC 4291 and dotted quads: "127.1" and 2130706433
 * are names, which no policy allows. */
static bool
find_literal(const char *node, struct found *f)
{
    unsigned char bytes[16];
    if (inet_pton(AF_INET, node, bytes) == 1) {
        add_literal(f, 4, bytes);
    } else if (inet_pton(AF_INET6, node, bytes) == 1) {
        add_literal(f, 6, bytes);
    }
    return f->count > 0;
}

/* Where nothing is named: the machine itself, or any of its addresses. */
static void
find_own(int flags, int family, struct found *f)
{
    static const unsigned char any[16], loopback4[4] = {127, 0, 0, 1}, loopback6[16] = {[15] = 1};
    bool passive = (flags & AI_PASSIVE) != 0;
    if (family != AF_INET6) {
        add_literal(f, 4, passive ? any : loopback4);
    }
    if (family == AF_INET6) {
        add_literal(f, 6, passive ? any : loopback6);
    }
}

static int
find(const char *node, const struct addrinfo *hints, struct found *f)
{
    if (node == NULL) {
        find_own(hints->ai_flags, hints->ai_family, f);
        return 0;
    }
    if (find_literal(node, f)) {
        return 0;
    }
    if ((hints->ai_flags & AI_NUMERICHOST) != 0) {
        return EAI_NONAME;
    }
    if (strcmp(node, "localhost") == 0) {
        find_own(0, hints->ai_family, f);
        return 0;
    }
    switch (errno = socket_resolve(node, strlen(node), f->addresses, MOST_ADDRESSES, &f->count)) {
    case 0: return 0;
    case ENOENT: return EAI_NONAME;
    case EAGAIN: return EAI_AGAIN;
    default: return EAI_SYSTEM;
    }
}

/* One result; its address lies behind it. */
static struct addrinfo *
make_entry(const struct wire_address *a, int type, int protocol, const char *canonical)
{
    struct {
        struct addrinfo info;
        struct sockaddr_storage address;
        char name[];
    } *entry;
    size_t extra = canonical == NULL ? 0 : strlen(canonical) + 1;
    entry = calloc(1, sizeof *entry + extra);
    if (entry == NULL) {
        return NULL;
    }
    struct sockaddr *address = (struct sockaddr *)&entry->address;
    entry->info.ai_family = a->family == 4 ? AF_INET : AF_INET6;
    entry->info.ai_socktype = type;
    entry->info.ai_protocol = protocol;
    entry->info.ai_addrlen = address_from_wire(a, address, sizeof entry->address);
    entry->info.ai_addr = address;
    if (canonical != NULL) {
        entry->info.ai_canonname = memcpy(entry->name, canonical, extra);
    }
    return &entry->info;
}

static const struct kind {
    int type, protocol;
} kinds[] = {{SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, IPPROTO_UDP}};

static bool
wanted(const struct kind *k, const struct addrinfo *hints)
{
    return (hints->ai_socktype == 0 || hints->ai_socktype == k->type) &&
           (hints->ai_protocol == 0 || hints->ai_protocol == k->protocol);
}

static int
make_list(struct found *f, int port, const struct addrinfo *hints, const char *canonical,
          struct addrinfo **result)
{
    struct addrinfo **last = result;
    for (size_t i = 0; i < f->count; i++) {
        struct wire_address *a = &f->addresses[i];
        if (hints->ai_family != AF_UNSPEC && hints->ai_family != (a->family == 4 ? AF_INET : AF_INET6)) {
            continue;
        }
        a->port = (uint16_t)port;
        for (size_t k = 0; k < 2; k++) {
            if (!wanted(&kinds[k], hints)) {
                continue;
            }
            *last = make_entry(a, kinds[k].type, kinds[k].protocol, last == result ? canonical : NULL);
            if (*last == NULL) {
                return EAI_MEMORY;
            }
            last = &(*last)->ai_next;
        }
    }
    return *result == NULL ? EAI_NONAME : 0;
}

static int
check_hints(const char *node, const char *service, const struct addrinfo *hints)
{
    int family = hints->ai_family, type = hints->ai_socktype;
    if (node == NULL && service == NULL) {
        return EAI_NONAME;
    }
    if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6) {
        return EAI_FAMILY;
    }
    return type == 0 || type == SOCK_STREAM || type == SOCK_DGRAM ? 0 : EAI_SOCKTYPE;
}

int
getaddrinfo(const char *restrict node, const char *restrict service,
            const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    static const struct addrinfo none;
    struct found *f;
    hints = hints == NULL ? &none : hints;
    *result = NULL;
    int error = check_hints(node, service, hints);
    int port = service == NULL ? 0 : service_port(service);
    if (error != 0) {
        return error;
    }
    if (port < 0) {
        return EAI_SERVICE;
    }
    if ((f = calloc(1, sizeof *f)) == NULL) {
        return EAI_MEMORY;
    }
    error = find(node, hints, f);
    if (error == 0) {
        error = make_list(f, port, hints, (hints->ai_flags & AI_CANONNAME) != 0 ? node : NULL, result);
    }
    free(f);
    if (error != 0) {
        freeaddrinfo(*result);
        *result = NULL;
    }
    return error;
}

void
freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}
