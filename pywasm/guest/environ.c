/* The environ dict of a request: the base that every request shares, plus the
 * variables of the message. PEP 3333, "environ Variables". */
#include "gateway.h"

#include <string.h>

/* Room for the base and an ordinary request, so that no request has to make
 * its dict larger: PyDict_Copy copies the room as well. */
enum { BASE_ROOM = 80 };

/* Numbers of the keys that the gateway itself looks at (package abi). */
enum { KEY_REQUEST_METHOD = 1, KEY_CONTENT_LENGTH = 6 };

static const char *const key_names[WASGI_KEY_COUNT] = {WASGI_KEYS};
static PyObject *keys[WASGI_KEY_COUNT];
static PyObject *key_input, *key_early_hints;

int
environ_init(void)
{
    for (int i = 1; i < WASGI_KEY_COUNT; i++) {
        keys[i] = PyUnicode_InternFromString(key_names[i]);
        if (keys[i] == NULL) {
            return -1;
        }
    }
    key_input = PyUnicode_InternFromString("wsgi.input");
    key_early_hints = PyUnicode_InternFromString("wsgi.early_hints");
    return key_input == NULL || key_early_hints == NULL ? -1 : 0;
}

static int
set_new(PyObject *dict, const char *name, PyObject *value)
{
    int failed = value == NULL || PyDict_SetItemString(dict, name, value) < 0;
    Py_XDECREF(value);
    return failed ? -1 : 0;
}

PyObject *
environ_base(void)
{
    PyObject *d = _PyDict_NewPresized(BASE_ROOM);
    if (d == NULL) {
        return NULL;
    }
    if (set_new(d, "wsgi.version", Py_BuildValue("(ii)", 1, 0)) < 0 ||
        set_new(d, "wsgi.multithread", Py_NewRef(Py_False)) < 0 ||
        set_new(d, "wsgi.multiprocess", Py_NewRef(Py_True)) < 0 ||
        set_new(d, "wsgi.run_once", Py_NewRef(Py_False)) < 0 ||
        set_new(d, "wsgi.input_terminated", Py_NewRef(Py_True)) < 0 ||
        set_new(d, "wsgi.errors", Py_NewRef(gateway.errors)) < 0 ||
        set_new(d, "wsgi.file_wrapper",
                Py_NewRef((PyObject *)&FileWrapperType)) < 0 ||
        set_new(d, "wsgi.early_hints", Py_NewRef(Py_None)) < 0 ||
        set_new(d, "wsgi.input", Py_NewRef(Py_None)) < 0) {
        Py_DECREF(d);
        return NULL;
    }
    return d;
}

/* Adds NAME=value. Values of environ are bytes shown as ISO 8859-1. */
int
environ_add_base(PyObject *base, struct span pair)
{
    const char *equals = memchr(pair.data, '=', pair.size);
    if (equals == NULL || equals == pair.data) {
        return PyErr_Format(PyExc_ValueError, "environ entry is not NAME=value"), -1;
    }
    Py_ssize_t name_size = equals - pair.data;
    PyObject *name = PyUnicode_DecodeUTF8(pair.data, name_size, "replace");
    PyObject *value = PyUnicode_DecodeLatin1(
        equals + 1, (Py_ssize_t)pair.size - name_size - 1, NULL);
    int rc = -1;
    if (name != NULL && value != NULL) {
        PyUnicode_InternInPlace(&name);
        rc = PyDict_SetItem(base, name, value);
    }
    Py_XDECREF(name);
    Py_XDECREF(value);
    return rc;
}

int
environ_set_input(PyObject *environ, PyObject *input)
{
    return PyDict_SetItem(environ, key_input, input);
}

static int
set_early_hints(PyObject *environ, Response *r)
{
    PyObject *callable = early_hints_new(r);
    int failed = callable == NULL ||
                 PyDict_SetItem(environ, key_early_hints, callable) < 0;
    Py_XDECREF(callable);
    return failed ? -1 : 0;
}

static uint64_t
parse_length(struct span s)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s.size && i < 18; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return 0;
        }
        n = n * 10 + (uint64_t)(s.data[i] - '0');
    }
    return n;
}

static void
notice(Response *r, uint16_t number, struct span value)
{
    if (number == KEY_REQUEST_METHOD) {
        r->head_request = span_equals(value, "HEAD");
    }
    else if (number == KEY_CONTENT_LENGTH) {
        r->body_length = parse_length(value);
    }
}

/* Literal keys are not interned: clients choose them, and the table of
 * interned strings would grow for ever. */
static int32_t
add_entry(struct cursor *c, PyObject *environ, Response *r)
{
    uint16_t number = cursor_u16(c), key_size = cursor_u16(c);
    uint32_t value_size = cursor_u32(c);
    struct span name = cursor_take(c, key_size);
    struct span text = cursor_take(c, value_size);
    if (c->bad || number >= WASGI_KEY_COUNT || (number != 0 && key_size != 0)) {
        return WASGI_STATUS_INVALID;
    }
    PyObject *key = number != 0
                        ? Py_NewRef(keys[number])
                        : PyUnicode_DecodeLatin1(name.data, key_size, NULL);
    PyObject *value = PyUnicode_DecodeLatin1(text.data, value_size, NULL);
    int32_t status = WASGI_STATUS_MEMORY;
    if (key != NULL && value != NULL && PyDict_SetItem(environ, key, value) == 0) {
        notice(r, number, text);
        status = WASGI_STATUS_OK;
    }
    Py_XDECREF(key);
    Py_XDECREF(value);
    return status;
}

static int32_t
add_entries(uint32_t size, PyObject *environ, Response *r)
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
        int32_t status = add_entry(&c, environ, r);
        if (status != WASGI_STATUS_OK) {
            return status;
        }
    }
    return cursor_done(&c) ? WASGI_STATUS_OK : WASGI_STATUS_INVALID;
}

/* Decodes an environ message into a new dict and notes in r what the response
 * needs to know about the request. */
int32_t
environ_decode(uint32_t size, Response *r, PyObject **environ)
{
    PyObject *d = PyDict_Copy(gateway.base_environ);
    if (d == NULL) {
        return WASGI_STATUS_MEMORY;
    }
    int32_t status = add_entries(size, d, r);
    if (status == WASGI_STATUS_OK && set_early_hints(d, r) < 0) {
        status = WASGI_STATUS_MEMORY;
    }
    if (status != WASGI_STATUS_OK) {
        Py_DECREF(d);
        return status;
    }
    *environ = d;
    return WASGI_STATUS_OK;
}
