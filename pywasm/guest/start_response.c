/* The callable start_response, which is the response object itself, and the
 * write() that it returns. PEP 3333, "The start_response() Callable". */
#include "gateway.h"

#include <stddef.h>
#include <string.h>

/* Whether write() went beyond Content-Length, which iteration ends at: a loop
 * around write() would not. PEP 3333, "Handling the Content-Length Header". What
 * was announced is sent, so the exception takes nothing from the client. */
static bool
written_too_much(const Response *r)
{
    return r->surplus && r->written == r->length && !response_may_omit_body(r);
}

static PyObject *
response_write(PyObject *op, PyObject *data)
{
    Response *r = (Response *)op;
    if (!r->live) {
        PyErr_SetString(PyExc_AssertionError, "write() after the request has ended");
        return NULL;
    }
    if (response_send_bytes(r, data, false) < 0 || response_flush_head(r) < 0) {
        return NULL;
    }
    if (r->gone) {
        PyErr_SetString(PyExc_BrokenPipeError, "the client has gone");
        return NULL;
    }
    if (written_too_much(r)) {
        PyErr_Format(PyExc_ValueError,
                     "write() past the %llu bytes of the Content-Length",
                     (unsigned long long)r->length);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef write_method = {
    "write", response_write, METH_O,
    PyDoc_STR("write(data): send bytes now (PEP 3333, the write() callable).")};

/* The third argument, by position as PEP 3333 has it or by name as wsgiref
 * takes it; NULL when there is none, or one that is false, as None is: every
 * server asks "if exc_info". */
static int
parse_arguments(Py_ssize_t nargs, PyObject *const *args, PyObject *names,
                PyObject **exc_info)
{
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    if (nargs < 2 || nargs + named > 3) {
        PyErr_Format(PyExc_TypeError,
                     "start_response() takes status, headers and optionally exc_info "
                     "(%zd arguments given)", nargs + named);
        return -1;
    }
    if (named == 1 &&
        !PyUnicode_EqualToUTF8(PyTuple_GET_ITEM(names, 0), "exc_info")) {
        PyErr_Format(PyExc_TypeError,
                     "start_response() got an unexpected keyword argument %R",
                     PyTuple_GET_ITEM(names, 0));
        return -1;
    }
    int given = nargs + named == 3 ? PyObject_IsTrue(args[2]) : 0;
    *exc_info = given > 0 ? args[2] : NULL;
    return given < 0 ? -1 : 0;
}

/* exc_info[1], a new reference, with exc_info[2] as its traceback. It is None
 * when sys.exc_info() was called while nothing was being handled. */
static PyObject *
exception_of(PyObject *exc_info)
{
    if (!PyTuple_Check(exc_info) || PyTuple_GET_SIZE(exc_info) != 3 ||
        !(PyTuple_GET_ITEM(exc_info, 1) == Py_None ||
          PyExceptionInstance_Check(PyTuple_GET_ITEM(exc_info, 1)))) {
        PyErr_Format(PyExc_TypeError,
                     "exc_info must be a tuple as sys.exc_info() returns it, not %.100s",
                     Py_TYPE(exc_info)->tp_name);
        return NULL;
    }
    PyObject *exception = PyTuple_GET_ITEM(exc_info, 1);
    PyObject *traceback = PyTuple_GET_ITEM(exc_info, 2);
    if (exception != Py_None && PyTraceBack_Check(traceback) &&
        PyException_SetTraceback(exception, traceback) < 0) {
        return NULL;
    }
    return Py_NewRef(exception);
}

static int
already_set(void)
{
    PyErr_SetString(PyExc_AssertionError, "Headers already set!");
    return -1;
}

/* Whether this call is allowed: the first, or one with exc_info while the head
 * can still be replaced. Too late, the application's own exception is raised
 * again, so that the iteration ends. */
static int
check_order(const Response *r, PyObject *exc_info)
{
    if (!r->live) {
        PyErr_SetString(PyExc_AssertionError,
                        "start_response() after the request has ended");
        return -1;
    }
    if (exc_info == NULL) {
        return r->called ? already_set() : 0;
    }
    PyObject *exception = exception_of(exc_info);
    if (exception == NULL) {
        return -1;
    }
    if (r->sent && exception != Py_None) {
        PyErr_SetRaisedException(exception);
        return -1;
    }
    Py_DECREF(exception);
    return r->sent ? already_set() : 0;
}

static PyObject *
start_response(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Response *r = (Response *)op;
    PyObject *exc_info;
    if (parse_arguments(PyVectorcall_NARGS(nargsf), args, names, &exc_info) < 0 ||
        check_order(r, exc_info) < 0) {
        return NULL;
    }
    r->called = true;
    if (head_encode(r, args[0], args[1]) < 0) {
        return NULL;
    }
    return PyCFunction_New(&write_method, op);
}

Response *
response_new(void)
{
    Response *r = PyObject_New(Response, &ResponseType);
    if (r != NULL) {
        memset((char *)r + sizeof(PyObject), 0, sizeof *r - sizeof(PyObject));
        r->vectorcall = start_response;
        r->live = true;
    }
    return r;
}

static void
response_dealloc(PyObject *op)
{
    PyObject_Free(op);
}

PyTypeObject ResponseType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "wasgi.start_response",
    .tp_doc = PyDoc_STR("start_response(status, headers, exc_info=None) (PEP 3333)."),
    .tp_basicsize = sizeof(Response),
    .tp_dealloc = response_dealloc,
    .tp_vectorcall_offset = offsetof(Response, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
};
