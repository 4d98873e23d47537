/* Tells whether modules are still as they were: a module that was imported ahead
 * (_wasgi_spare.py) may stand for one that is imported now only while no other
 * module has set an attribute of those that it was made from. What functions with a
 * module's own globals set there, and what imports set, is taken to be its own. */
#include "gateway.h"

enum { WRITERS = 4 };

static int watcher = -1;
static bool touched;
static PyObject *watched;          /* list of dicts */
static PyObject *writers[WRITERS]; /* dicts of those who may */
static Py_ssize_t writer_count;

/* Whether what runs is the body of a module, and no function of it. Those that are
 * watched have run: this one does so again, or exec runs something in its place. */
static bool
is_module_body(void)
{
    PyFrameObject *frame = PyEval_GetFrame(); /* borrowed */
    PyCodeObject *code = frame == NULL ? NULL : PyFrame_GetCode(frame);
    bool is = code != NULL && (code->co_flags & CO_NEWLOCALS) == 0;
    Py_XDECREF(code);
    return is;
}

static bool
may_write(PyObject *dict)
{
    PyObject *globals = PyEval_GetGlobals(); /* borrowed */
    bool may = globals == dict && !is_module_body();
    for (Py_ssize_t i = 0; i < writer_count && !may; i++) {
        may = globals == writers[i];
    }
    return may;
}

/* A name more among the builtins, as gettext has one, is in nobody's way. */
static bool
harmless(PyDict_WatchEvent event, PyObject *dict)
{
    return event == PyDict_EVENT_DEALLOCATED ||
           (event == PyDict_EVENT_ADDED && dict == PyEval_GetBuiltins());
}

/* A PyDict_WatchCallback. */
static int
notice(PyDict_WatchEvent event, PyObject *dict, PyObject *Py_UNUSED(key),
       PyObject *Py_UNUSED(value))
{
    if (!touched && !harmless(event, dict)) {
        touched = !may_write(dict);
    }
    return 0;
}

static int
watch_each(PyObject *dicts)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(dicts); i++) {
        if (PyDict_Watch(watcher, PyList_GET_ITEM(dicts, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
watch(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *dicts, *importers;
    if (!PyArg_ParseTuple(args, "O!O!:watch", &PyList_Type, &dicts, &PyTuple_Type,
                          &importers)) {
        return NULL;
    }
    if (watcher >= 0 || PyTuple_GET_SIZE(importers) > WRITERS) {
        PyErr_SetString(PyExc_SystemError, "watch is for once, and for few writers");
        return NULL;
    }
    if ((watcher = PyDict_AddWatcher(notice)) < 0) {
        return NULL;
    }
    watched = Py_NewRef(dicts);
    for (; writer_count < PyTuple_GET_SIZE(importers); writer_count++) {
        writers[writer_count] = Py_NewRef(PyTuple_GET_ITEM(importers, writer_count));
    }
    return watch_each(dicts) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
is_touched(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(touched);
}

static PyObject *
unwatch(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    for (Py_ssize_t i = 0; watched != NULL && i < PyList_GET_SIZE(watched); i++) {
        if (PyDict_Unwatch(watcher, PyList_GET_ITEM(watched, i)) < 0) {
            return NULL;
        }
    }
    Py_CLEAR(watched);
    while (writer_count > 0) {
        Py_CLEAR(writers[--writer_count]);
    }
    int rc = watcher < 0 ? 0 : PyDict_ClearWatcher(watcher);
    watcher = -1;
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef methods[] = {
    {"watch", watch, METH_VARARGS, NULL},
    {"touched", is_touched, METH_NOARGS, NULL},
    {"unwatch", unwatch, METH_NOARGS, NULL},
};

/* The three functions, in this order. */
PyObject *
watch_functions(void)
{
    PyObject *all = PyTuple_New(3);
    for (Py_ssize_t i = 0; i < 3 && all != NULL; i++) {
        PyObject *function = PyCFunction_New(&methods[i], NULL);
        if (function == NULL) {
            Py_CLEAR(all);
            break;
        }
        PyTuple_SET_ITEM(all, i, function);
    }
    return all;
}
