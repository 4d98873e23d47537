/* What the application returned: transmitted item by item, or at once when it
 * is a list or tuple, then closed. PEP 3333, "Buffering and Streaming". */
#include "gateway.h"

#include <stdlib.h>
#include <string.h>

/* Lists whose bytes fit are joined: one call to the host instead of many, and
 * the host can set Content-Length. */
enum { JOIN_ROOM = 64 << 10 };

static char *joined;

static int
check_items(PyObject *const *items, Py_ssize_t count, uint64_t *total)
{
    uint64_t sum = 0; /* the same bytes may be in a list 2**12 times */
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!PyBytes_Check(items[i])) {
            PyErr_Format(PyExc_TypeError,
                         "the response body must be made of bytes, not %.100s",
                         Py_TYPE(items[i])->tp_name);
            return -1;
        }
        sum += (uint64_t)PyBytes_GET_SIZE(items[i]);
    }
    *total = sum;
    return 0;
}

static int
send_joined(Response *r, PyObject *const *items, Py_ssize_t count)
{
    if (joined == NULL && (joined = malloc(JOIN_ROOM)) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    size_t size = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        size_t n = (size_t)PyBytes_GET_SIZE(items[i]);
        memcpy(joined + size, PyBytes_AS_STRING(items[i]), n);
        size += n;
    }
    return response_send(r, joined, size, true);
}

static int
send_each(Response *r, PyObject *const *items, Py_ssize_t count)
{
    while (count > 0 && PyBytes_GET_SIZE(items[count - 1]) == 0) {
        count--;
    }
    for (Py_ssize_t i = 0; i < count && !r->gone; i++) {
        if (response_send_bytes(r, items[i], i == count - 1) < 0) {
            return -1;
        }
    }
    return 0;
}

/* No Python code runs in here, so nobody can change the list meanwhile. */
static int
send_sequence(Response *r, PyObject *const *items, Py_ssize_t count)
{
    uint64_t total;
    if (count == 1) {
        return response_send_bytes(r, items[0], true);
    }
    if (check_items(items, count, &total) < 0) {
        return -1;
    }
    return total <= JOIN_ROOM ? send_joined(r, items, count)
                              : send_each(r, items, count);
}

static int
send_iterator(Response *r, PyObject *iterator)
{
    PyObject *chunk;
    while (!r->gone && !r->surplus && (chunk = PyIter_Next(iterator)) != NULL) {
        int failed = response_send_bytes(r, chunk, false);
        Py_DECREF(chunk);
        if (failed) {
            return -1;
        }
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* Sends everything; -1 with an exception. */
int
iterate_result(Response *r, PyObject *result)
{
    if (PyList_CheckExact(result) || PyTuple_CheckExact(result)) {
        return send_sequence(r, PySequence_Fast_ITEMS(result),
                             PySequence_Fast_GET_SIZE(result));
    }
    if (Py_IS_TYPE(result, &FileWrapperType)) {
        int done = sendfile_result(r, result);
        if (done != 0) {
            return done < 0 ? -1 : 0;
        }
    }
    PyObject *iterator = PyObject_GetIter(result);
    if (iterator == NULL) {
        return -1;
    }
    int failed = send_iterator(r, iterator);
    Py_DECREF(iterator);
    return failed;
}

/* Calls close() when there is one; an exception that is set stays set, and
 * one that close() raises is logged: the response stands as it is. */
void
iterate_close(PyObject *result)
{
    if (PyList_CheckExact(result) || PyTuple_CheckExact(result)) {
        return;
    }
    PyObject *pending = PyErr_GetRaisedException();
    PyObject *close;
    if (PyObject_GetOptionalAttrString(result, "close", &close) > 0) {
        Py_XDECREF(PyObject_CallNoArgs(close));
        Py_DECREF(close);
    }
    log_exception();
    PyErr_SetRaisedException(pending);
}
