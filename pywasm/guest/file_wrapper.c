/* wsgi.file_wrapper: iterates over a file-like object in blocks, from where it
 * stands. It needs nothing but read(); close() is passed on when there is one.
 * PEP 3333, "Optional Platform-Specific File Handling". */
#include "gateway.h"

#include <stddef.h>
#include <structmember.h>

typedef struct {
    PyObject_HEAD
    PyObject *filelike;
    PyObject *block_size;
} FileWrapper;

enum { DEFAULT_BLOCK = 64 << 10 };

static PyObject *
file_wrapper_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"filelike", "blksize", NULL};
    PyObject *filelike, *block_size = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O!:file_wrapper", names,
                                     &filelike, &PyLong_Type, &block_size)) {
        return NULL;
    }
    FileWrapper *self = (FileWrapper *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->filelike = Py_NewRef(filelike);
    self->block_size = block_size != NULL ? Py_NewRef(block_size)
                                          : PyLong_FromLong(DEFAULT_BLOCK);
    if (self->block_size == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

PyObject *
file_wrapper_file(PyObject *wrapper)
{
    return ((FileWrapper *)wrapper)->filelike;
}

static PyObject *
file_wrapper_next(PyObject *op)
{
    FileWrapper *self = (FileWrapper *)op;
    PyObject *block = PyObject_CallMethod(self->filelike, "read", "O",
                                          self->block_size);
    if (block == NULL) {
        return NULL;
    }
    int more = PyObject_IsTrue(block);
    if (more > 0) {
        return block;
    }
    Py_DECREF(block);
    return NULL;
}

static PyObject *
file_wrapper_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *close;
    int found = PyObject_GetOptionalAttrString(((FileWrapper *)op)->filelike,
                                               "close", &close);
    if (found <= 0) {
        return found < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyObject *done = PyObject_CallNoArgs(close);
    Py_DECREF(close);
    return done;
}

static int
file_wrapper_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((FileWrapper *)op)->filelike);
    return 0;
}

static int
file_wrapper_clear(PyObject *op)
{
    Py_CLEAR(((FileWrapper *)op)->filelike);
    return 0;
}

static void
file_wrapper_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_CLEAR(((FileWrapper *)op)->block_size);
    (void)file_wrapper_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static PyMethodDef file_wrapper_methods[] = {
    {"close", file_wrapper_close, METH_NOARGS,
     PyDoc_STR("Close the wrapped object if it can be closed.")},
    {0},
};

static PyMemberDef file_wrapper_members[] = {
    {"filelike", Py_T_OBJECT_EX, offsetof(FileWrapper, filelike), Py_READONLY, NULL},
    {"blksize", Py_T_OBJECT_EX, offsetof(FileWrapper, block_size), Py_READONLY, NULL},
    {0},
};

PyTypeObject FileWrapperType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "wasgi.FileWrapper",
    .tp_doc = PyDoc_STR("file_wrapper(filelike, blksize=65536): an iterable of "
                        "blocks of a file (PEP 3333)."),
    .tp_basicsize = sizeof(FileWrapper),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = file_wrapper_new,
    .tp_dealloc = file_wrapper_dealloc,
    .tp_traverse = file_wrapper_traverse,
    .tp_clear = file_wrapper_clear,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = file_wrapper_next,
    .tp_methods = file_wrapper_methods,
    .tp_members = file_wrapper_members,
};
