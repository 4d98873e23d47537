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

/* Frozen objects are never visited again: a collection in a restored instance
 * would otherwise write to every one of them, and copy its page. */
static int
collect_and_freeze(void)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *collected = gc == NULL ? NULL : PyObject_CallMethod(gc, "collect", NULL);
    PyObject *frozen = collected == NULL ? NULL : PyObject_CallMethod(gc, "freeze", NULL);
    int rc = frozen == NULL ? -1 : 0;
    Py_XDECREF(frozen);
    Py_XDECREF(collected);
    Py_XDECREF(gc);
    return rc;
}

int32_t
gateway_before_snapshot(void)
{
    forkhooks_run_before();
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
    void *volatile room = malloc(HEADROOM); /* volatile, or clang leaves both out */
    free(room);
    return WASGI_STATUS_OK;
}

int32_t
gateway_after_restore(void)
{
    reseed();
    forkhooks_run_after_in_child();
    return WASGI_STATUS_OK;
}
