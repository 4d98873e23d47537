/* What sys.stdout and sys.stderr write to while requests are served. CPython's
 * own buffer would keep print() back until 8 KiB are there, and asking two
 * streams to flush after every request costs as much as a small request. */
#include "gateway.h"

#include <errno.h>
#include <unistd.h>

typedef struct {
    PyObject_HEAD
    struct lines lines;
} Console;

static Console *consoles[2];

static int
console_sink(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        text += n;
        size -= (size_t)n;
    }
    return 0;
}

static PyObject *
console_write(PyObject *op, PyObject *data)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    Py_ssize_t size = view.len;
    int rc = lines_put(&((Console *)op)->lines, view.buf, (size_t)size);
    PyBuffer_Release(&view);
    return rc < 0 ? NULL : PyLong_FromSsize_t(size);
}

static PyObject *
console_flush(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return lines_drain(&((Console *)op)->lines) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
console_fileno(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(((Console *)op)->lines.target);
}

static PyObject *
console_true(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(ignored))
{
    Py_RETURN_TRUE;
}

static PyObject *
console_false(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(ignored))
{
    Py_RETURN_FALSE;
}

static PyObject *
console_closed(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    Py_RETURN_FALSE;
}

static PyObject *
console_name(PyObject *op, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(((Console *)op)->lines.target == 1 ? "<stdout>"
                                                                    : "<stderr>");
}

static PyMethodDef console_methods[] = {
    {"write", console_write, METH_O, NULL},
    {"flush", console_flush, METH_NOARGS, NULL},
    {"close", console_flush, METH_NOARGS, NULL},
    {"fileno", console_fileno, METH_NOARGS, NULL},
    {"isatty", console_false, METH_NOARGS, NULL},
    {"readable", console_false, METH_NOARGS, NULL},
    {"seekable", console_false, METH_NOARGS, NULL},
    {"writable", console_true, METH_NOARGS, NULL},
    {0},
};

static PyGetSetDef console_getset[] = {
    {"closed", console_closed, NULL, NULL, NULL},
    {"name", console_name, NULL, NULL, NULL},
    {0},
};

PyTypeObject ConsoleType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "wasgi.Console",
    .tp_doc = PyDoc_STR("The binary stream under sys.stdout and sys.stderr."),
    .tp_basicsize = sizeof(Console),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = console_methods,
    .tp_getset = console_getset,
};

static Console *
console_new(int fd)
{
    Console *self = PyObject_New(Console, &ConsoleType);
    if (self != NULL) {
        self->lines.sink = console_sink;
        self->lines.target = fd;
        self->lines.used = 0;
    }
    return self;
}

/* The text layer is CPython's own, so that reconfigure() and the rest work. */
int
console_install(void)
{
    if (PyType_Ready(&ConsoleType) < 0) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        if ((consoles[i] = console_new(i + 1)) == NULL) {
            return -1;
        }
    }
    PyObject *done = PyObject_CallMethod(gateway.bootstrap, "use_consoles", "OO",
                                         consoles[0], consoles[1]);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* What a request printed without a newline is not the next request's. */
void
console_end_request(void)
{
    for (int i = 0; i < 2; i++) {
        if (consoles[i] != NULL && consoles[i]->lines.used > 0 &&
            lines_drain(&consoles[i]->lines) < 0) {
            PyErr_Clear();
        }
    }
}
