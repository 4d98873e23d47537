/* wsgi.input: the request body, which the host has received whole. End of file
 * is where the body ends. PEP 3333, "Input and Error Streams". */
#include "host.h"
#include "input.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINE_ROOM = 16 << 10,    /* bytes asked for at once while lines are read */
    FIRST_ROOM = 64 << 10,   /* the first guess of read() without a length */
    TRUSTED_ROOM = 16 << 20, /* the most that a declared length may reserve */
    HOST_CHUNK = 16 << 20    /* the most asked of the host in one call */
};

PyObject *
input_new(uint64_t declared)
{
    Input *self = PyObject_New(Input, &InputType);
    if (self != NULL) {
        self->declared = declared;
        self->consumed = 0;
        self->room = NULL;
        self->next = self->filled = 0;
        self->ended = false;
    }
    return (PyObject *)self;
}

/* An application that keeps the stream must not read the next request's body
 * through it. */
void
input_end(PyObject *op)
{
    Input *self = (Input *)op;
    self->ended = true;
    self->next = self->filled = 0;
}

/* Bytes from the host, 0 at the end, -1 with OSError. */
static Py_ssize_t
host_read(Input *self, char *data, size_t size)
{
    if (self->ended || size == 0) {
        return 0;
    }
    uint32_t want = size > HOST_CHUNK ? HOST_CHUNK : (uint32_t)size;
    int32_t n = host_body_read(data, want);
    if (n < 0 || (uint32_t)n > want) {
        PyErr_Format(PyExc_OSError, "the host cannot read the request body (error %d)",
                     (int)-n);
        return -1;
    }
    self->ended = n == 0;
    self->consumed += (uint64_t)n;
    return n;
}

static size_t
take_buffered(Input *self, char *data, size_t size)
{
    size_t n = self->filled - self->next;
    if (n > size) {
        n = size;
    }
    if (n > 0) {
        memcpy(data, self->room + self->next, n);
        self->next += (uint32_t)n;
    }
    return n;
}

/* How much to reserve for a read of at most limit bytes: what is left of the
 * declared length when that is known, so that a read(1 << 30) of a small body
 * does not need a gigabyte. */
static size_t
first_guess(const Input *self, size_t limit)
{
    size_t guess = FIRST_ROOM;
    if (self->declared > self->consumed) {
        uint64_t left = self->declared - self->consumed;
        guess = left > TRUSTED_ROOM ? TRUSTED_ROOM : (size_t)left;
    }
    guess += self->filled - self->next;
    return guess > limit ? limit : guess;
}

/* Fills data; fewer bytes only at the end of the body. */
Py_ssize_t
input_fill(Input *self, char *data, size_t size)
{
    size_t have = take_buffered(self, data, size);
    while (have < size) {
        Py_ssize_t n = host_read(self, data + have, size - have);
        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        have += (size_t)n;
    }
    return (Py_ssize_t)have;
}

static bool
exhausted(const Input *self)
{
    return self->ended && self->next == self->filled;
}

/* At most limit bytes, fewer only at the end of the body. */
PyObject *
input_read_up_to(Input *self, size_t limit)
{
    if (limit == 0 || exhausted(self)) {
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    size_t room = first_guess(self, limit), have = 0;
    PyObject *out = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
    while (out != NULL) {
        Py_ssize_t n = input_fill(self, PyBytes_AS_STRING(out) + have, room - have);
        if (n < 0) {
            Py_CLEAR(out);
            break;
        }
        have += (size_t)n;
        if (have < room || have == limit) {
            break;
        }
        room = room > limit / 2 ? limit : room * 2;
        (void)_PyBytes_Resize(&out, (Py_ssize_t)room);
    }
    if (out != NULL && have < room) {
        (void)_PyBytes_Resize(&out, (Py_ssize_t)have);
    }
    return out;
}

/* Makes at least one byte readable in room; 0 at the end, -1 with an error. */
static int
refill(Input *self)
{
    if (self->next < self->filled) {
        return 1;
    }
    if (self->room == NULL && (self->room = malloc(LINE_ROOM)) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t n = host_read(self, self->room, LINE_ROOM);
    self->next = 0;
    self->filled = n > 0 ? (uint32_t)n : 0;
    return n > 0 ? 1 : (int)n;
}

static int
append(PyObject **line, const char *data, size_t size)
{
    if (*line == NULL) {
        *line = PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
        return *line == NULL ? -1 : 0;
    }
    Py_ssize_t have = PyBytes_GET_SIZE(*line);
    if (_PyBytes_Resize(line, have + (Py_ssize_t)size) < 0) {
        return -1;
    }
    memcpy(PyBytes_AS_STRING(*line) + have, data, size);
    return 0;
}

PyObject *
input_read_line(Input *self, size_t limit)
{
    PyObject *line = NULL;
    bool complete = limit == 0;
    while (!complete) {
        int more = refill(self);
        if (more < 0) {
            Py_XDECREF(line);
            return NULL;
        }
        if (more == 0) {
            break;
        }
        const char *start = self->room + self->next;
        size_t size = self->filled - self->next;
        if (size > limit) {
            size = limit;
        }
        const char *newline = memchr(start, '\n', size);
        if (newline != NULL) {
            size = (size_t)(newline - start) + 1;
        }
        self->next += (uint32_t)size;
        limit -= size;
        complete = newline != NULL || limit == 0;
        if (append(&line, start, size) < 0) {
            return NULL;
        }
    }
    return line != NULL ? line : PyBytes_FromStringAndSize(NULL, 0);
}
