/* The generator behind random.random() and its siblings. A snapshot would
 * share its state between all its instances, and a new seed costs 12 us, more
 * than some requests, of which few draw a number. So the image holds a mark,
 * and the first method of the generator that an instance calls seeds it. */
#include "gateway.h"

enum { RANDOM, GETSTATE, GETRANDBITS, SEED, SETSTATE, METHODS };

static PyCFunction originals[METHODS];
static PyObject *generator; /* random._inst */
static bool stale;

static PyObject *
call_seed(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    return ((PyCFunctionFast)(void (*)(void))originals[SEED])(self, args, count);
}

static int
renew(PyObject *self)
{
    if (self != generator || !stale) {
        return 0;
    }
    PyObject *done = call_seed(self, NULL, 0);
    Py_XDECREF(done);
    stale = done == NULL;
    return stale ? -1 : 0;
}

static PyObject *
random_random(PyObject *self, PyObject *unused)
{
    return renew(self) < 0 ? NULL : originals[RANDOM](self, unused);
}

static PyObject *
random_getstate(PyObject *self, PyObject *unused)
{
    return renew(self) < 0 ? NULL : originals[GETSTATE](self, unused);
}

static PyObject *
random_getrandbits(PyObject *self, PyObject *bits)
{
    return renew(self) < 0 ? NULL : originals[GETRANDBITS](self, bits);
}

/* What sets the whole state needs no seed before it. */
static PyObject *
settled(PyObject *self, PyObject *done)
{
    if (self == generator && done != NULL) {
        stale = false;
    }
    return done;
}

static PyObject *
random_seed(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    return settled(self, call_seed(self, args, count));
}

static PyObject *
random_setstate(PyObject *self, PyObject *state)
{
    return settled(self, originals[SETSTATE](self, state));
}

static const struct {
    const char *name;
    int flags;
    PyCFunction function;
} methods[METHODS] = {
    [RANDOM] = {"random", METH_NOARGS, random_random},
    [GETSTATE] = {"getstate", METH_NOARGS, random_getstate},
    [GETRANDBITS] = {"getrandbits", METH_O, random_getrandbits},
    [SEED] = {"seed", METH_FASTCALL, (PyCFunction)(void (*)(void))random_seed},
    [SETSTATE] = {"setstate", METH_O, random_setstate},
};

static PyMethodDef *
definition(PyObject *type, int method)
{
    PyObject *dict = PyType_GetDict((PyTypeObject *)type);
    PyObject *descr = PyDict_GetItemString(dict, methods[method].name); /* borrowed */
    Py_DECREF(dict);
    if (descr == NULL || !Py_IS_TYPE(descr, &PyMethodDescr_Type)) {
        return NULL;
    }
    PyMethodDef *def = ((PyMethodDescrObject *)descr)->d_method;
    return def->ml_flags == methods[method].flags ? def : NULL;
}

/* Every bound method and descriptor of _random.Random, those that modules
 * have picked up already included, reads its function from one table. */
static int
take_over(PyObject *type)
{
    PyMethodDef *found[METHODS];
    for (int i = 0; i < METHODS; i++) {
        if ((found[i] = definition(type, i)) == NULL) {
            PyErr_Format(PyExc_SystemError, "_random.Random.%s is not what it was", methods[i].name);
            return -1;
        }
    }
    for (int i = 0; i < METHODS && originals[i] == NULL; i++) {
        originals[i] = found[i]->ml_meth;
        found[i]->ml_meth = methods[i].function;
    }
    return 0;
}

static int
mark(PyObject *instance)
{
    PyObject *module = PyImport_ImportModule("_random");
    PyObject *type = module == NULL ? NULL : PyObject_GetAttrString(module, "Random");
    int rc = type == NULL ? -1 : take_over(type);
    /* The second number of a pair that gauss() has drawn. */
    if (rc == 0) {
        rc = PyObject_SetAttrString(instance, "gauss_next", Py_None);
    }
    if (rc == 0) {
        Py_XSETREF(generator, Py_NewRef(instance));
        stale = true;
    }
    Py_XDECREF(type);
    Py_XDECREF(module);
    return rc;
}

/* Called before a snapshot, with the module random. */
void
random_forget(PyObject *module)
{
    PyObject *instance = PyObject_GetAttrString(module, "_inst");
    if (instance == NULL || mark(instance) < 0) {
        log_exception();
    }
    Py_XDECREF(instance);
}
