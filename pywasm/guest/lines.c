/* Text on its way out, one line at a time: complete lines leave at once, what
 * has no newline yet waits for it or for the end of the request. */
#include "gateway.h"

#include <string.h>

/* The most of text, at most room bytes, that does not cut a character. */
static size_t
whole_characters(const char *text, size_t size, size_t room)
{
    if (size <= room) {
        return size;
    }
    size_t n = room;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) {
        n--;
    }
    return n == 0 ? room : n;
}

static int
pass_on(struct lines *self, const char *text, size_t size)
{
    while (size > 0) {
        size_t n = whole_characters(text, size, LINES_MOST);
        if (self->sink(self->target, text, n) < 0) {
            return -1;
        }
        text += n;
        size -= n;
    }
    return 0;
}

int
lines_drain(struct lines *self)
{
    size_t n = self->used;
    self->used = 0;
    return pass_on(self, self->room, n);
}

static size_t
through_last_newline(const char *text, size_t size)
{
    while (size > 0 && text[size - 1] != '\n') {
        size--;
    }
    return size;
}

static int
append(struct lines *self, const char *text, size_t size)
{
    if (size > sizeof self->room - self->used && lines_drain(self) < 0) {
        return -1;
    }
    if (size > sizeof self->room) {
        return pass_on(self, text, size);
    }
    memcpy(self->room + self->used, text, size);
    self->used += size;
    return 0;
}

int
lines_put(struct lines *self, const char *text, size_t size)
{
    size_t complete = through_last_newline(text, size);
    if (append(self, text, complete) < 0 ||
        (complete > 0 && lines_drain(self) < 0)) {
        return -1;
    }
    return append(self, text + complete, size - complete);
}
