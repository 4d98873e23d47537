/* wsgi.errors: a text stream to the tenant's log, one line at a time. Any str
 * is accepted, lone surrogates too (PEP 3333: errors must never make an error). */
#include "gateway.h"

typedef struct {
    PyObject_HEAD
    struct lines lines;
} Errors;

static int
errors_sink(int Py_UNUSED(target), const char *text, size_t size)
{
    log_text(WASGI_LOG_ERRORS, text, size);
    return 0;
}

static PyObject *
errors_write(PyObject *op, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        return PyErr_Format(PyExc_TypeError,
                            "wsgi.errors.write() argument must be str, not %.100s",
                            Py_TYPE(text)->tp_name);
    }
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    if (bytes == NULL) {
        return NULL;
    }
    (void)lines_put(&((Errors *)op)->lines, PyBytes_AS_STRING(bytes),
                    (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

static PyObject *
errors_writelines(PyObject *op, PyObject *lines)
{
    PyObject *iterator = PyObject_GetIter(lines);
    if (iterator == NULL) {
        return NULL;
    }
    PyObject *line;
    while ((line = PyIter_Next(iterator)) != NULL) {
        PyObject *done = errors_write(op, line);
        Py_DECREF(line);
        if (done == NULL) {
            break;
        }
        Py_DECREF(done);
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *
errors_flush(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    (void)lines_drain(&((Errors *)op)->lines);
    Py_RETURN_NONE;
}

static PyObject *
errors_false(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(ignored))
{
    Py_RETURN_FALSE;
}

static PyObject *
errors_true(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(ignored))
{
    Py_RETURN_TRUE;
}

static PyObject *
errors_encoding(PyObject *Py_UNUSED(op), void *name)
{
    return PyUnicode_FromString(name);
}

static PyObject *
errors_closed(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    Py_RETURN_FALSE;
}

static PyMethodDef errors_methods[] = {
    {"write", errors_write, METH_O,
     PyDoc_STR("Write a str to the log; returns the number of characters.")},
    {"writelines", errors_writelines, METH_O,
     PyDoc_STR("Write each str of an iterable.")},
    {"flush", errors_flush, METH_NOARGS,
     PyDoc_STR("Hand over what has no newline yet.")},
    {"isatty", errors_false, METH_NOARGS, NULL},
    {"readable", errors_false, METH_NOARGS, NULL},
    {"seekable", errors_false, METH_NOARGS, NULL},
    {"writable", errors_true, METH_NOARGS, NULL},
    {0},
};

static PyGetSetDef errors_getset[] = {
    {"encoding", errors_encoding, NULL, NULL, "utf-8"},
    {"errors", errors_encoding, NULL, NULL, "backslashreplace"},
    {"closed", errors_closed, NULL, NULL, NULL},
    {0},
};

PyTypeObject ErrorsType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "wasgi.Errors",
    .tp_doc = PyDoc_STR("The text stream wsgi.errors (PEP 3333)."),
    .tp_basicsize = sizeof(Errors),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = errors_methods,
    .tp_getset = errors_getset,
};

PyObject *
errors_new(void)
{
    Errors *self = PyObject_New(Errors, &ErrorsType);
    if (self != NULL) {
        self->lines.used = 0;
        self->lines.sink = errors_sink;
    }
    return (PyObject *)self;
}

/* A request's last words are its own: they must not be joined to the next
 * request's first line. */
void
errors_end_request(PyObject *op)
{
    (void)lines_drain(&((Errors *)op)->lines);
}
