/* The message buffer and the reader of messages. Layouts: package abi. */
#include "gateway.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *buffer;
static uint32_t capacity;

enum { SMALLEST = 16 << 10 };

void *
message_reserve(uint32_t size)
{
    if (size > WASGI_MAX_MESSAGE) {
        return NULL;
    }
    if (size > capacity || buffer == NULL) {
        uint32_t wanted = size < SMALLEST ? SMALLEST : size;
        free(buffer);
        buffer = malloc(wanted);
        capacity = buffer == NULL ? 0 : wanted;
    }
    return buffer;
}

bool
message_cursor(struct cursor *c, uint32_t size)
{
    if (buffer == NULL || size > capacity) {
        return false;
    }
    *c = (struct cursor){.next = buffer, .end = buffer + size};
    return true;
}

/* The last warm-up request must not stay readable in every snapshot. */
void
message_wipe(void)
{
    if (buffer != NULL) {
        memset(buffer, 0, capacity);
    }
}

struct span
cursor_take(struct cursor *c, uint32_t size)
{
    if (c->bad || size > (size_t)(c->end - c->next)) {
        c->bad = true;
        return (struct span){0};
    }
    struct span s = {(const char *)c->next, size};
    c->next += size;
    return s;
}

uint16_t
cursor_u16(struct cursor *c)
{
    struct span s = cursor_take(c, 2);
    uint16_t n = 0;
    if (s.data != NULL) {
        memcpy(&n, s.data, sizeof n);
    }
    return n;
}

uint32_t
cursor_u32(struct cursor *c)
{
    struct span s = cursor_take(c, 4);
    uint32_t n = 0;
    if (s.data != NULL) {
        memcpy(&n, s.data, sizeof n);
    }
    return n;
}

bool
cursor_done(const struct cursor *c)
{
    return !c->bad && c->next == c->end;
}

bool
span_equals(struct span s, const char *text)
{
    return s.size == strlen(text) && memcmp(s.data, text, s.size) == 0;
}

int32_t
message_pairs(uint32_t size, pair_fn use, void *arg)
{
    struct cursor c;
    if (!message_cursor(&c, size)) {
        return WASGI_STATUS_INVALID;
    }
    uint32_t count = cursor_u32(&c);
    if (count > WASGI_MAX_ENTRIES) {
        return WASGI_STATUS_INVALID;
    }
    while (count-- > 0) {
        uint32_t key_size = cursor_u32(&c), value_size = cursor_u32(&c);
        struct span key = cursor_take(&c, key_size);
        struct span value = cursor_take(&c, value_size);
        if (c.bad) {
            return WASGI_STATUS_INVALID;
        }
        int32_t status = use(arg, key, value);
        if (status != WASGI_STATUS_OK) {
            return status;
        }
    }
    return cursor_done(&c) ? WASGI_STATUS_OK : WASGI_STATUS_INVALID;
}
