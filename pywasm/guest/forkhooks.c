/* os.register_at_fork, which CPython offers only where it can fork. Here the
 * snapshot is the fork: libraries that already protect themselves against a
 * copied process are then right in every restored instance. */
#include "gateway.h"

enum { BEFORE, AFTER_IN_CHILD, AFTER_IN_PARENT, HOOK_LISTS };

static PyObject *hooks[HOOK_LISTS];
static PyObject *late; /* those of AFTER_IN_CHILD that have to wait for a restore */

static int
add_hook(int list, PyObject *hook)
{
    if (hook == NULL) {
        return 0;
    }
    if (!PyCallable_Check(hook)) {
        PyErr_SetString(PyExc_TypeError, "'register_at_fork' hooks must be callable");
        return -1;
    }
    return PyList_Append(hooks[list], hook);
}

static PyObject *
register_at_fork(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"before", "after_in_child", "after_in_parent", NULL};
    PyObject *given[HOOK_LISTS] = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOO:register_at_fork", names,
                                     &given[BEFORE], &given[AFTER_IN_CHILD],
                                     &given[AFTER_IN_PARENT])) {
        return NULL;
    }
    if (given[0] == NULL && given[1] == NULL && given[2] == NULL) {
        PyErr_SetString(PyExc_TypeError, "At least one argument is required.");
        return NULL;
    }
    for (int list = 0; list < HOOK_LISTS; list++) {
        if (add_hook(list, given[list]) < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyMethodDef register_method = {
    "register_at_fork", _PyCFunction_CAST(register_at_fork),
    METH_VARARGS | METH_KEYWORDS,
    PyDoc_STR("register_at_fork($module, /, *, before=<unrepresentable>,\n"
              "                 after_in_child=<unrepresentable>,\n"
              "                 after_in_parent=<unrepresentable>)\n--\n\n"
              "before is called before a snapshot is taken, after_in_child in every\n"
              "instance that is restored from it; after_in_parent is never called.")};

/* There is one thread, so that whoever holds the lock is this thread, in a
 * frame that the copy does not have. */
static PyObject *
lock_at_fork_reinit(PyObject *lock, PyObject *Py_UNUSED(ignored))
{
    PyObject *locked = PyObject_CallMethod(lock, "locked", NULL);
    PyObject *done = locked == Py_True ? PyObject_CallMethod(lock, "release", NULL)
                                       : Py_XNewRef(locked);
    Py_XDECREF(locked);
    Py_XDECREF(done);
    return done == NULL ? NULL : Py_NewRef(Py_None);
}

static PyObject *
rlock_at_fork_reinit(PyObject *lock, PyObject *Py_UNUSED(ignored))
{
    PyObject *owned = PyObject_CallMethod(lock, "_is_owned", NULL);
    PyObject *done = owned == Py_True ? PyObject_CallMethod(lock, "_release_save", NULL)
                                      : Py_XNewRef(owned);
    Py_XDECREF(owned);
    Py_XDECREF(done);
    return done == NULL ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef lock_method = {"_at_fork_reinit", lock_at_fork_reinit,
                                  METH_NOARGS, NULL};
static PyMethodDef rlock_method = {"_at_fork_reinit", rlock_at_fork_reinit,
                                   METH_NOARGS, NULL};

/* The types refuse setattr, as all built-in types do; their dict does not. */
static int
add_method(PyObject *module, const char *type_name, PyMethodDef *method)
{
    PyObject *type = PyObject_GetAttrString(module, type_name);
    if (type == NULL) {
        return -1;
    }
    PyObject *dict = PyType_GetDict((PyTypeObject *)type);
    PyObject *descr = PyDescr_NewMethod((PyTypeObject *)type, method);
    int rc = descr == NULL ? -1 : PyDict_SetItemString(dict, method->ml_name, descr);
    PyType_Modified((PyTypeObject *)type);
    Py_XDECREF(descr);
    Py_DECREF(dict);
    Py_DECREF(type);
    return rc;
}

static int
add_lock_methods(void)
{
    PyObject *module = PyImport_ImportModule("_thread");
    if (module == NULL) {
        return -1;
    }
    int rc = add_method(module, "lock", &lock_method);
    if (rc == 0) {
        rc = add_method(module, "RLock", &rlock_method);
    }
    Py_DECREF(module);
    return rc;
}

int
forkhooks_install(void)
{
    for (int list = 0; list < HOOK_LISTS; list++) {
        if ((hooks[list] = PyList_New(0)) == NULL) {
            return -1;
        }
    }
    if ((late = PyList_New(0)) == NULL) {
        return -1;
    }
    PyObject *posix = PyImport_ImportModule("posix");
    PyObject *function = PyCFunction_New(&register_method, NULL);
    int rc = -1;
    if (posix != NULL && function != NULL) {
        rc = PyObject_SetAttrString(posix, "register_at_fork", function);
    }
    Py_XDECREF(function);
    Py_XDECREF(posix);
    return rc < 0 ? rc : add_lock_methods();
}

/* As CPython does, a hook that raises does not keep the others from running. */
static void
run_hook(PyObject *hook)
{
    PyObject *done = PyObject_CallNoArgs(hook);
    if (done == NULL) {
        log_exception();
    }
    Py_XDECREF(done);
}

static bool
has_module(PyObject *object, const char *const *names)
{
    PyObject *module = PyObject_GetAttrString(object, "__module__");
    bool found = false;
    for (; module != NULL && PyUnicode_Check(module) && !found && *names != NULL; names++) {
        found = PyUnicode_EqualToUTF8(module, *names);
    }
    Py_XDECREF(module);
    PyErr_Clear();
    return found;
}

/* Hooks that free locks or forget threads leave the same state behind
 * whenever they run: those of threading and logging, and the methods of a
 * lock. In the image they cost nothing, in each instance some 8 us each. */
static bool
same_in_all(PyObject *hook)
{
    static const char *const modules[] = {"threading", "logging", NULL};
    static const char *const thread[] = {"_thread", NULL};
    if (PyFunction_Check(hook)) {
        return has_module(hook, modules);
    }
    PyObject *self = PyCFunction_Check(hook) ? PyCFunction_GET_SELF(hook) : NULL;
    return self != NULL && !PyModule_Check(self) && has_module((PyObject *)Py_TYPE(self), thread);
}

static void
run_or_keep(PyObject *hook)
{
    if (same_in_all(hook)) {
        run_hook(hook);
    }
    else if (PyList_Append(late, hook) < 0) {
        log_exception();
    }
}

void
forkhooks_before_snapshot(void)
{
    for (Py_ssize_t i = PyList_GET_SIZE(hooks[BEFORE]); i-- > 0;) {
        run_hook(PyList_GET_ITEM(hooks[BEFORE], i));
    }
    PyList_SetSlice(late, 0, PyList_GET_SIZE(late), NULL);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(hooks[AFTER_IN_CHILD]); i++) {
        run_or_keep(PyList_GET_ITEM(hooks[AFTER_IN_CHILD], i));
    }
}

void
forkhooks_after_restore(void)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(late); i++) {
        run_hook(PyList_GET_ITEM(late, i));
    }
}
