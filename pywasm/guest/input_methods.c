/* The methods of wsgi.input. PEP 3333, "Input and Error Streams". */
#include "input.h"

#include <stdlib.h>

static void
input_dealloc(PyObject *op)
{
    free(((Input *)op)->room);
    PyObject_Free(op);
}

/* The optional size argument: None, negative or missing means no limit. */
static int
parse_limit(const char *method, PyObject *const *args, Py_ssize_t nargs, size_t *limit)
{
    if (nargs > 1) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most 1 argument (%zd given)",
                     method, nargs);
        return -1;
    }
    *limit = PY_SSIZE_T_MAX;
    if (nargs == 0 || args[0] == Py_None) {
        return 0;
    }
    Py_ssize_t n = PyNumber_AsSsize_t(args[0], NULL);
    if (n == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (n >= 0) {
        *limit = (size_t)n;
    }
    return 0;
}

static PyObject *
input_read(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    size_t limit;
    if (parse_limit("read", args, nargs, &limit) < 0) {
        return NULL;
    }
    return input_read_up_to((Input *)op, limit);
}

static PyObject *
input_readinto(PyObject *op, PyObject *target)
{
    Py_buffer view;
    if (PyObject_GetBuffer(target, &view, PyBUF_WRITABLE) < 0) {
        return NULL;
    }
    Py_ssize_t n = input_fill((Input *)op, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

static PyObject *
input_readline(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    size_t limit;
    if (parse_limit("readline", args, nargs, &limit) < 0) {
        return NULL;
    }
    return input_read_line((Input *)op, limit);
}

static PyObject *
input_next(PyObject *op)
{
    PyObject *line = input_read_line((Input *)op, PY_SSIZE_T_MAX);
    if (line != NULL && PyBytes_GET_SIZE(line) == 0) {
        Py_CLEAR(line);
    }
    return line;
}

/* The hint is the number of bytes after which no further line is begun;
 * 0 and None mean all, as in io.IOBase.readlines. */
static PyObject *
input_readlines(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    size_t hint, have = 0;
    if (parse_limit("readlines", args, nargs, &hint) < 0) {
        return NULL;
    }
    PyObject *lines = PyList_New(0), *line = NULL;
    while (lines != NULL && (have < hint || hint == 0) &&
           (line = input_next(op)) != NULL) {
        have += (size_t)PyBytes_GET_SIZE(line);
        if (PyList_Append(lines, line) < 0) {
            Py_CLEAR(lines);
        }
        Py_DECREF(line);
    }
    if (PyErr_Occurred()) {
        Py_CLEAR(lines);
    }
    return lines;
}

static PyObject *
input_true(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(ignored))
{
    Py_RETURN_TRUE;
}

static PyObject *
input_false(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(ignored))
{
    Py_RETURN_FALSE;
}

/* PEP 3333 forbids applications to close it; io's wrappers do it all the same
 * when they go, and that must not end the stream for others. */
static PyObject *
input_close(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(ignored))
{
    Py_RETURN_NONE;
}

static PyObject *
input_closed(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    Py_RETURN_FALSE;
}

#define FAST(function) _PyCFunction_CAST(function), METH_FASTCALL

static PyMethodDef input_methods[] = {
    {"read", FAST(input_read),
     PyDoc_STR("read(size=-1): up to size bytes, fewer only at the end.")},
    {"readline", FAST(input_readline),
     PyDoc_STR("readline(size=-1): the next line, at most size bytes of it.")},
    {"readlines", FAST(input_readlines),
     PyDoc_STR("readlines(hint=-1): a list of lines of about hint bytes.")},
    {"readinto", input_readinto, METH_O,
     PyDoc_STR("readinto(buffer): fill the buffer, return the bytes read.")},
    {"readable", input_true, METH_NOARGS, NULL},
    {"writable", input_false, METH_NOARGS, NULL},
    {"seekable", input_false, METH_NOARGS, NULL},
    {"isatty", input_false, METH_NOARGS, NULL},
    {"flush", input_close, METH_NOARGS, NULL},
    {"close", input_close, METH_NOARGS, NULL},
    {0},
};

static PyGetSetDef input_getset[] = {
    {"closed", input_closed, NULL, NULL, NULL},
    {0},
};

PyTypeObject InputType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "wasgi.Input",
    .tp_doc = PyDoc_STR("The byte stream wsgi.input (PEP 3333)."),
    .tp_basicsize = sizeof(Input),
    .tp_dealloc = input_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = input_next,
    .tp_methods = input_methods,
    .tp_getset = input_getset,
};
