/* A file that wsgi.file_wrapper holds and that the host can send by itself: one
 * whose read() would do nothing but read a descriptor. PEP 3333, "Optional
 * Platform-Specific File Handling". */
#include "gateway.h"

/* The types of io.open in binary mode, no subclass: that could read otherwise. */
struct file_types {
    PyTypeObject *raw, *reader, *random;
};

static struct file_types types;

static PyTypeObject *
io_type(PyObject *io, const char *name)
{
    PyObject *type = PyObject_GetAttrString(io, name);
    if (type != NULL && !PyType_Check(type)) {
        Py_CLEAR(type);
    }
    return (PyTypeObject *)type;
}

static bool
types_known(void)
{
    if (types.random != NULL) {
        return true;
    }
    PyObject *io = PyImport_ImportModule("_io");
    if (io != NULL) {
        types.raw = io_type(io, "FileIO");
        types.reader = io_type(io, "BufferedReader");
        types.random = io_type(io, "BufferedRandom");
        Py_DECREF(io);
    }
    return types.random != NULL;
}

/* Whether a method of the object is still that of its type: applications hang
 * attributes on files, and a read of their own is to be called. */
static bool
own_method(PyObject *file, const char *name)
{
    PyObject *method = PyObject_GetAttrString(file, name);
    bool own = method != NULL && PyCFunction_Check(method) &&
               PyCFunction_GET_SELF(method) == file;
    Py_XDECREF(method);
    return own;
}

/* The FileIO below a file, a new reference, or NULL with or without an
 * exception. */
static PyObject *
raw_of(PyObject *file)
{
    if (Py_IS_TYPE(file, types.raw)) {
        return Py_NewRef(file);
    }
    if (!Py_IS_TYPE(file, types.reader) && !Py_IS_TYPE(file, types.random)) {
        return NULL;
    }
    PyObject *raw = PyObject_GetAttrString(file, "raw");
    if (raw != NULL && (!Py_IS_TYPE(raw, types.raw) || !own_method(raw, "readinto"))) {
        Py_CLEAR(raw);
    }
    return raw;
}

static long long
number_from(PyObject *object, const char *method)
{
    PyObject *number = PyObject_CallMethod(object, method, NULL);
    long long n = number == NULL ? -1 : PyLong_AsLongLong(number);
    Py_XDECREF(number);
    return n;
}

/* Where the application stands in the file, which is not where the descriptor
 * does: a buffer has read ahead. What it has not written yet is written. */
static long long
position(PyObject *file)
{
    if (Py_IS_TYPE(file, types.random)) {
        PyObject *done = PyObject_CallMethod(file, "flush", NULL);
        if (done == NULL) {
            return -1;
        }
        Py_DECREF(done);
    }
    return number_from(file, "tell");
}

/* Leaves the file where reading it would have left it. */
static int
move_on(PyObject *file, long long to)
{
    PyObject *done = PyObject_CallMethod(file, "seek", "L", to);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int
send_from(Response *r, PyObject *file, PyObject *raw)
{
    long long fd = number_from(raw, "fileno");
    long long offset = fd < 0 ? -1 : position(file);
    if (offset < 0) {
        return 0;
    }
    uint64_t sent = 0;
    int done = response_file(r, (int)fd, offset, &sent);
    if (done == 1 && move_on(file, offset + (long long)sent) < 0) {
        return -1;
    }
    return done;
}

/* What goes wrong before a byte is sent goes wrong again when the file is read,
 * and is told then; an interrupt does not come twice. */
static int
forgive(int done)
{
    if (done == 0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_Exception)) {
            return -1;
        }
        PyErr_Clear();
    }
    return done;
}

int
sendfile_result(Response *r, PyObject *wrapper)
{
    PyObject *file = file_wrapper_file(wrapper);
    if (!r->ready || r->gone || !types_known() || !own_method(file, "read")) {
        return forgive(0);
    }
    PyObject *raw = raw_of(file);
    int done = raw == NULL ? 0 : send_from(r, file, raw);
    Py_XDECREF(raw);
    return forgive(done);
}
