/* Random state that a snapshot would share between all its instances, in the
 * modules that are loaded: it is forgotten before the snapshot and drawn anew at
 * its next use. os.urandom, secrets and SystemRandom ask the host every time and
 * need nothing. */
#include "gateway.h"

static PyObject *
loaded_module(const char *name)
{
    PyObject *key = PyUnicode_InternFromString(name);
    PyObject *module = key == NULL ? NULL : PyImport_GetModule(key);
    Py_XDECREF(key);
    return module;
}

static void
forget(const char *module_name, const char *const *names)
{
    PyObject *module = loaded_module(module_name);
    for (; module != NULL && *names != NULL; names++) {
        if (PyObject_SetAttrString(module, *names, Py_None) < 0) {
            log_exception();
        }
    }
    Py_XDECREF(module);
}

void
reseed_before_snapshot(void)
{
    /* uuid1 draws a node and a clock sequence again; tempfile makes a new
     * generator of names. */
    static const char *const uuid[] = {"_node", "_last_timestamp", NULL};
    static const char *const tempfile[] = {"_name_sequence", NULL};
    PyObject *random = loaded_module("random");
    if (random != NULL) {
        random_forget(random);
        Py_DECREF(random);
    }
    forget("uuid", uuid);
    forget("tempfile", tempfile);
    PyErr_Clear();
}
