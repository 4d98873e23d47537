/* What happens before linear memory becomes an image, and after an image has
 * become an instance. */
#include "gateway.h"

#include <stdlib.h>

/* So much is free in the image, so that a request seldom grows memory. */
enum { HEADROOM = 4 << 20 };

static void
flush_stream(const char *name)
{
    PyObject *stream = PySys_GetObject(name);
    if (stream == NULL || stream == Py_None) {
        return;
    }
    Py_XDECREF(PyObject_CallMethod(stream, "flush", NULL));
    PyErr_Clear();
}

static int
call_gc(PyObject *gc, const char *name)
{
    PyObject *result = PyObject_CallMethod(gc, name, NULL);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* Frozen objects are never visited again: a collection in a restored instance
 * would otherwise write to every one of them, and copy its page. */
static int
settle(PyObject *gc)
{
    if (call_gc(gc, "collect") < 0) {
        return -1;
    }
    PyObject *objects = PyObject_CallMethod(gc, "get_objects", NULL);
    if (objects == NULL || !PyList_CheckExact(objects)) {
        Py_XDECREF(objects);
        return -1;
    }
    immortalize_all(objects);
    Py_DECREF(objects);
    return call_gc(gc, "freeze");
}

static int
collect_and_freeze(void)
{
    PyObject *gc = PyImport_ImportModule("gc");
    int rc = gc == NULL ? -1 : settle(gc);
    Py_XDECREF(gc);
    return rc;
}

int32_t
gateway_before_snapshot(void)
{
    spare_drop();
    forkhooks_before_snapshot();
    reseed_before_snapshot();
    flush_stream("stdout");
    flush_stream("stderr");
    if (gateway.errors != NULL) {
        errors_end_request(gateway.errors);
    }
    console_end_request();
    if (collect_and_freeze() < 0) {
        log_exception();
        return WASGI_STATUS_EXCEPTION;
    }
    message_wipe();
    tls_random_forget(); /* late: what ran until here may have drawn from it */
    gateway.frozen = true;
    void *volatile room = malloc(HEADROOM); /* volatile, or clang leaves both out */
    free(room);
    return WASGI_STATUS_OK;
}

int32_t
gateway_after_restore(void)
{
    forkhooks_after_restore();
    return WASGI_STATUS_OK;
}
