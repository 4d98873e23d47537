/* wsgi.early_hints: headers that go out ahead of the response, as 103 (RFC
 * 8297). It is called as gunicorn's: with a list of (name, value). */
#include "gateway.h"

static PyObject *
early_hints(PyObject *op, PyObject *headers)
{
    Response *r = (Response *)op;
    struct span head;
    if (!r->live || r->sent) {
        PyErr_SetString(PyExc_AssertionError,
                        r->live ? "early hints after the response has begun"
                                : "early hints after the request has ended");
        return NULL;
    }
    if (r->hints == WASGI_MAX_HINTS) {
        return PyErr_Format(PyExc_ValueError, "more than %d early hints for one request",
                            WASGI_MAX_HINTS);
    }
    if (head_encode_hints(headers, &head) < 0) {
        return NULL;
    }
    r->hints++;
    if (response_hints(r, head) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef early_hints_method = {
    "early_hints", early_hints, METH_O,
    PyDoc_STR("early_hints(headers): send 103 Early Hints with a list of (name, value).")};

PyObject *
early_hints_new(Response *r)
{
    return PyCFunction_New(&early_hints_method, (PyObject *)r);
}
