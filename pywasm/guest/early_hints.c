/* wsgi.early_hints: headers that go out ahead of the response, as 103 (RFC
 * 8297). It takes what gunicorn's takes: any iterable of pairs, bytes for text, and
 * calls that come too late, which do nothing. */
#include "gateway.h"

static PyObject *
text_of(PyObject *part)
{
    return PyBytes_Check(part) ? PyUnicode_DecodeLatin1(PyBytes_AS_STRING(part),
                                                        PyBytes_GET_SIZE(part), NULL)
                               : Py_NewRef(part);
}

/* A (name, value) tuple of text. What is no pair is left for head_encode_hints to
 * refuse. */
static PyObject *
pair_of(PyObject *header)
{
    if (!PyTuple_Check(header) && !PyList_Check(header)) {
        return Py_NewRef(header);
    }
    PyObject *pair = PySequence_Tuple(header);
    if (pair == NULL || PyTuple_GET_SIZE(pair) != 2) {
        return pair;
    }
    PyObject *name = text_of(PyTuple_GET_ITEM(pair, 0));
    PyObject *value = text_of(PyTuple_GET_ITEM(pair, 1));
    Py_SETREF(pair, name != NULL && value != NULL ? PyTuple_Pack(2, name, value) : NULL);
    Py_XDECREF(name);
    Py_XDECREF(value);
    return pair;
}

/* A list of our own. No more headers are taken from an iterator than are
 * refused. */
static PyObject *
list_of(PyObject *headers)
{
    PyObject *iterator = PyObject_GetIter(headers), *list = PyList_New(0), *header;
    while (iterator != NULL && list != NULL &&
           PyList_GET_SIZE(list) <= WASGI_MAX_HEADERS &&
           (header = PyIter_Next(iterator)) != NULL) {
        PyObject *pair = pair_of(header);
        Py_DECREF(header);
        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
    }
    Py_XDECREF(iterator);
    if (PyErr_Occurred()) {
        Py_CLEAR(list);
    }
    return list;
}

static int
send_hints(Response *r, PyObject *headers)
{
    struct span head;
    PyObject *list = list_of(headers);
    int failed = list == NULL || head_encode_hints(list, &head) < 0;
    Py_XDECREF(list);
    if (failed) {
        return -1;
    }
    r->hints++;
    return response_hints(r, head);
}

static PyObject *
early_hints(PyObject *op, PyObject *headers)
{
    Response *r = (Response *)op;
    if (!r->live) {
        PyErr_SetString(PyExc_AssertionError, "early hints after the request has ended");
        return NULL;
    }
    if (r->sent) {
        Py_RETURN_NONE;
    }
    if (r->hints == WASGI_MAX_HINTS) {
        return PyErr_Format(PyExc_ValueError, "more than %d early hints for one request",
                            WASGI_MAX_HINTS);
    }
    if (send_hints(r, headers) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef early_hints_method = {
    "early_hints", early_hints, METH_O,
    PyDoc_STR("early_hints(headers): send 103 Early Hints with (name, value) pairs.")};

PyObject *
early_hints_new(Response *r)
{
    return PyCFunction_New(&early_hints_method, (PyObject *)r);
}
