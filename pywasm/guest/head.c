/* Status and headers: checked when the application calls start_response, so
 * that the error appears in its own traceback, and laid out as package abi's
 * ResponseHead says. PEP 3333, "The start_response() Callable". */
#include "gateway.h"

#include <stdlib.h>
#include <string.h>

/* A head that is laid out. Hints have one of their own: the response's may
 * wait for its first byte meanwhile. */
struct layout {
    uint8_t *buffer;
    uint32_t used, capacity;
};

static struct layout response, hints;

enum { FIRST_ROOM = 4 << 10 };

static struct span
layout_span(const struct layout *l)
{
    return (struct span){(const char *)l->buffer, l->used};
}

struct span
head_data(void)
{
    return layout_span(&response);
}

static uint8_t *
put_room(struct layout *l, size_t size)
{
    if (size > WASGI_MAX_RESPONSE_HEAD - l->used) {
        PyErr_Format(PyExc_ValueError, "status and headers are above %d bytes",
                     WASGI_MAX_RESPONSE_HEAD);
        return NULL;
    }
    if (l->used + size > l->capacity) {
        uint32_t wanted = l->capacity == 0 ? FIRST_ROOM : l->capacity;
        while (wanted < l->used + size) {
            wanted *= 2;
        }
        uint8_t *larger = realloc(l->buffer, wanted);
        if (larger == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        l->buffer = larger;
        l->capacity = wanted;
    }
    uint8_t *at = l->buffer + l->used;
    l->used += (uint32_t)size;
    return at;
}

static void
store_u32(uint8_t *at, uint32_t n)
{
    memcpy(at, &n, sizeof n);
}

/* The ISO 8859-1 bytes of a str, for as long as the str lives. */
static int
latin1(PyObject *text, const char *what, struct span *out)
{
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "%s must be str, not %.100s", what,
                     Py_TYPE(text)->tp_name);
        return -1;
    }
    if (PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND) {
        PyErr_Format(PyExc_ValueError,
                     "%s has a character outside ISO 8859-1: %R", what, text);
        return -1;
    }
    if (PyUnicode_GET_LENGTH(text) > WASGI_MAX_RESPONSE_HEAD) {
        PyErr_Format(PyExc_ValueError, "%s has %zd characters, above %d", what,
                     PyUnicode_GET_LENGTH(text), WASGI_MAX_RESPONSE_HEAD);
        return -1;
    }
    *out = (struct span){(const char *)PyUnicode_1BYTE_DATA(text),
                         (uint32_t)PyUnicode_GET_LENGTH(text)};
    return 0;
}

static int
put_header(struct layout *l, Response *r, PyObject *pair)
{
    struct span name, value;
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_Format(PyExc_TypeError, "header must be a (name, value) tuple, not %R",
                     pair);
        return -1;
    }
    if (latin1(PyTuple_GET_ITEM(pair, 0), "header name", &name) < 0 ||
        latin1(PyTuple_GET_ITEM(pair, 1), "header value", &value) < 0 ||
        header_check(r, name, value, pair) < 0) {
        return -1;
    }
    uint8_t *at = put_room(l, 8 + (size_t)name.size + value.size);
    if (at == NULL) {
        return -1;
    }
    store_u32(at, name.size);
    store_u32(at + 4, value.size);
    memcpy(at + 8, name.data, name.size);
    memcpy(at + 8 + name.size, value.data, value.size);
    return 0;
}

static int
put_status(struct layout *l, uint16_t code, struct span reason, Py_ssize_t headers)
{
    uint8_t *at = put_room(l, 8 + (size_t)reason.size);
    if (at == NULL) {
        return -1;
    }
    uint16_t count = (uint16_t)headers;
    memcpy(at, &code, sizeof code);
    memcpy(at + 2, &count, sizeof count);
    store_u32(at + 4, reason.size);
    memcpy(at + 8, reason.data, reason.size);
    return 0;
}

/* No Python code runs between the count and the last header unless one of
 * them is refused, so the list cannot change. */
static int
put_headers(struct layout *l, Response *r, PyObject *headers)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); i++) {
        if (put_header(l, r, PyList_GET_ITEM(headers, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
check_list(PyObject *headers)
{
    if (!PyList_CheckExact(headers)) {
        PyErr_Format(PyExc_TypeError, "headers must be a list, not %.100s",
                     Py_TYPE(headers)->tp_name);
        return -1;
    }
    if (PyList_GET_SIZE(headers) > WASGI_MAX_HEADERS) {
        PyErr_Format(PyExc_ValueError, "more than %d headers", WASGI_MAX_HEADERS);
        return -1;
    }
    return 0;
}

int
head_encode(Response *r, PyObject *status, PyObject *headers)
{
    struct layout *l = &response;
    struct span s;
    l->used = 0;
    r->ready = r->has_length = false;
    if (check_list(headers) < 0 || latin1(status, "status", &s) < 0 ||
        status_check(s, status, &r->code) < 0) {
        return -1;
    }
    struct span reason = {s.data + 4, s.size - 4};
    if (put_status(l, r->code, reason, PyList_GET_SIZE(headers)) < 0 ||
        put_headers(l, r, headers) < 0) {
        return -1;
    }
    r->ready = true;
    return 0;
}

/* Headers of a 103: the same rules, and none about a body (RFC 8297). */
int
head_encode_hints(PyObject *headers, struct span *head)
{
    struct layout *l = &hints;
    Response none = {0}; /* for what the headers say of a body */
    l->used = 0;
    if (check_list(headers) < 0 ||
        put_status(l, 103, (struct span){"", 0}, PyList_GET_SIZE(headers)) < 0 ||
        put_headers(l, &none, headers) < 0) {
        return -1;
    }
    if (none.has_length) {
        PyErr_SetString(PyExc_ValueError, "early hints have no Content-Length");
        return -1;
    }
    *head = layout_span(l);
    return 0;
}
