/* Objects of the image become immortal: their reference counts are no longer
 * written, so that a request copies fewer pages of the image, and in fresh
 * mode fewer are put back. README.md has what that costs. */
#include "gateway.h"

#include <stdlib.h>

/* Objects that were made immortal and are still to be looked into. */
struct pending {
    PyObject **items;
    size_t count, room;
    int failed;
};

static void
push(struct pending *p, PyObject *object)
{
    if (p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 4096;
        PyObject **items = realloc(p->items, room * sizeof *items);
        if (items == NULL) {
            p->failed = 1;
            return;
        }
        p->items = items;
        p->room = room;
    }
    p->items[p->count++] = object;
}

/* A visitproc. */
static int
immortalize(PyObject *object, void *arg)
{
    if (object == NULL || _Py_IsImmortal(object)) {
        return 0;
    }
    object->ob_refcnt = _Py_IMMORTAL_REFCNT;
    if (PyObject_IS_GC(object)) {
        push(arg, object);
    }
    return 0;
}

/* Makes everything immortal that the collector knows, and what hangs on it.
 * The list itself must die, so it is left out. Running out of memory leaves
 * the rest mortal, which is only slower. */
void
immortalize_all(PyObject *objects)
{
    struct pending p = {0};
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(objects) && !p.failed; i++) {
        PyObject *object = PyList_GET_ITEM(objects, i);
        if (object == objects) {
            continue;
        }
        immortalize(object, &p);
        while (p.count > 0 && !p.failed) {
            PyObject *next = p.items[--p.count];
            Py_TYPE(next)->tp_traverse(next, immortalize, &p);
        }
    }
    free(p.items);
}
