/* Services and protocols by name. There is no /etc/services: these are those
 * that clients ask for by name. */
#include "socket_host.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

static const struct service {
    const char *name;
    int port;
    bool tcp, udp;
} services[] = {
    {"ftp", 21, true, false}, {"ssh", 22, true, false}, {"telnet", 23, true, false},
    {"smtp", 25, true, false}, {"domain", 53, true, true}, {"http", 80, true, false},
    {"pop3", 110, true, false}, {"ntp", 123, false, true}, {"imap", 143, true, false},
    {"imap2", 143, true, false}, {"snmp", 161, true, true}, {"ldap", 389, true, true},
    {"https", 443, true, true}, {"submissions", 465, true, false}, {"syslog", 514, false, true},
    {"submission", 587, true, false}, {"ldaps", 636, true, false}, {"imaps", 993, true, false},
    {"pop3s", 995, true, false}, {"mysql", 3306, true, false}, {"postgresql", 5432, true, false},
    {"redis", 6379, true, false},
};

enum { SERVICES = sizeof services / sizeof *services };

static const struct service *
by_name(const char *name)
{
    for (size_t i = 0; i < SERVICES; i++) {
        if (strcmp(services[i].name, name) == 0) {
            return &services[i];
        }
    }
    return NULL;
}

int
service_port(const char *name)
{
    char *end;
    long port = strtol(name, &end, 10);
    if (*name != '\0' && *end == '\0') {
        return port >= 0 && port <= 65535 ? (int)port : -1;
    }
    const struct service *s = by_name(name);
    return s == NULL ? -1 : s->port;
}

/* getservbyname and its kind return memory of their own, overwritten by the
 * next call; there is one thread. */
static struct servent *
entry_of(const struct service *s, const char *protocol)
{
    static struct servent entry;
    static char *aliases[] = {NULL};
    if (s == NULL || (protocol != NULL && !(s->tcp && strcmp(protocol, "tcp") == 0) &&
                      !(s->udp && strcmp(protocol, "udp") == 0))) {
        return NULL;
    }
    const char *spoken = protocol != NULL ? protocol : s->tcp ? "tcp" : "udp";
    entry = (struct servent){(char *)s->name, aliases, htons((uint16_t)s->port), (char *)spoken};
    return &entry;
}

struct servent *
getservbyname(const char *name, const char *protocol)
{
    return entry_of(by_name(name), protocol);
}

struct servent *
getservbyport(int port, const char *protocol)
{
    for (size_t i = 0; i < SERVICES; i++) {
        struct servent *entry =
            services[i].port == ntohs((uint16_t)port) ? entry_of(&services[i], protocol) : NULL;
        if (entry != NULL) {
            return entry;
        }
    }
    return NULL;
}

struct protoent *
getprotobyname(const char *name)
{
    static struct protoent entry;
    static char *aliases[] = {NULL};
    static const struct {
        const char *name;
        int number;
    } protocols[] = {{"ip", 0}, {"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"ipv6", 41}};
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        if (strcmp(protocols[i].name, name) == 0) {
            entry = (struct protoent){(char *)protocols[i].name, aliases, protocols[i].number};
            return &entry;
        }
    }
    return NULL;
}
