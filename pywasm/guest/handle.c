/* One request: environ in, the callable called, its result transmitted.
 * PEP 3333, "The Server/Gateway Side". */
#include "gateway.h"

/* Runs the application; -1 with an exception. */
static int
call_application(Response *r, PyObject *environ)
{
    PyObject *args[] = {environ, (PyObject *)r};
    PyObject *result = PyObject_Vectorcall(gateway.app, args, 2, NULL);
    if (result == NULL) {
        return -1;
    }
    int failed = iterate_result(r, result);
    if (!failed) {
        failed = response_finish(r);
    }
    iterate_close(result);
    Py_DECREF(result);
    return failed;
}

/* Once the client has gone, or has everything, an exception changes nothing
 * but the log; and a write() that could not reach the client is no fault of
 * the application. */
static int32_t
status_of_exception(const Response *r)
{
    if (r->gone && PyErr_ExceptionMatches(PyExc_BrokenPipeError)) {
        PyErr_Clear();
        return WASGI_STATUS_OK;
    }
    log_exception();
    return r->gone || r->last ? WASGI_STATUS_OK : WASGI_STATUS_EXCEPTION;
}

static int32_t
serve(Response *r, PyObject *environ, PyObject *input)
{
    int failed = environ_set_input(environ, input) < 0 ||
                 call_application(r, environ) < 0;
    int32_t status = failed ? status_of_exception(r) : WASGI_STATUS_OK;
    r->live = false;
    input_end(input);
    return status;
}

static int32_t
serve_message(Response *r, uint32_t size)
{
    PyObject *environ;
    int32_t status = environ_decode(size, r, &environ);
    if (status != WASGI_STATUS_OK) {
        PyErr_Clear();
        return status;
    }
    PyObject *input = input_new(r->body_length);
    status = input == NULL ? WASGI_STATUS_MEMORY : serve(r, environ, input);
    Py_XDECREF(input);
    Py_DECREF(environ);
    return status;
}

int32_t
gateway_handle(uint32_t size)
{
    Response *r = response_new();
    if (r == NULL) {
        PyErr_Clear();
        return WASGI_STATUS_MEMORY;
    }
    int32_t status = serve_message(r, size);
    Py_DECREF(r);
    errors_end_request(gateway.errors);
    console_end_request();
    PyErr_Clear();
    return status;
}
