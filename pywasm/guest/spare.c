/* A spare interpreter: booted without an application, it imports ahead what most
 * of them import (_wasgi_spare.py), and becomes the interpreter of one when it is
 * booted once more. By then the host has given the instance its folders and its
 * environment, which wasi-libc has looked at already. */
#include "gateway.h"

#include <stdlib.h>
#include <wasi/api.h>
#include <wasi/libc.h>

enum { FIRST_FOLDER = 3, LONGEST_FOLDER = 4096 };

static PyObject *module;                      /* _wasgi_spare */
static __wasi_fd_t next_folder = FIRST_FOLDER; /* the first that wasi-libc does not know */

static bool
folder_name(__wasi_fd_t fd, char name[LONGEST_FOLDER])
{
    __wasi_prestat_t stat;
    if (__wasi_fd_prestat_get(fd, &stat) != 0 || stat.tag != __WASI_PREOPENTYPE_DIR ||
        stat.u.dir.pr_name_len >= LONGEST_FOLDER) {
        return false;
    }
    name[stat.u.dir.pr_name_len] = 0;
    return __wasi_fd_prestat_dir_name(fd, (uint8_t *)name, stat.u.dir.pr_name_len) == 0;
}

/* Tells wasi-libc of folders that came after it had asked for them. */
static int
add_folders(bool known)
{
    char name[LONGEST_FOLDER];
    for (; folder_name(next_folder, name); next_folder++) {
        if (!known && __wasilibc_register_preopened_fd((int)next_folder, name) != 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
list_of(char **entries, Py_ssize_t count, PyObject *(*make)(const char *))
{
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; i < count && list != NULL; i++) {
        PyObject *entry = make(entries[i]);
        if (entry == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, entry);
    }
    return list;
}

/* The host's environment as it is now: list of bytes, NAME=value. */
static PyObject *
environment(void)
{
    __wasi_size_t count, size;
    if (__wasi_environ_sizes_get(&count, &size) != 0) {
        return PyErr_NoMemory();
    }
    char **entries = calloc(count + 1, sizeof *entries);
    char *text = malloc(size + 1);
    PyObject *list = NULL;
    if (entries == NULL || text == NULL ||
        __wasi_environ_get((uint8_t **)entries, (uint8_t *)text) != 0) {
        PyErr_NoMemory();
    }
    else {
        list = list_of(entries, (Py_ssize_t)count, PyBytes_FromString);
    }
    free(text);
    free(entries);
    return list;
}

int32_t
spare_fill(void)
{
    PyObject *watch = watch_functions();
    PyObject *done = NULL, *fill = NULL;
    module = watch == NULL ? NULL : PyImport_ImportModule("_wasgi_spare");
    if (module != NULL && (fill = PyObject_GetAttrString(module, "fill")) != NULL) {
        done = PyObject_CallObject(fill, watch);
    }
    Py_XDECREF(watch);
    Py_XDECREF(fill);
    if (done == NULL || add_folders(true) < 0) {
        Py_XDECREF(done);
        log_exception();
        return WASGI_STATUS_INTERNAL;
    }
    Py_DECREF(done);
    spare_tls_used();
    return WASGI_STATUS_OK;
}

int32_t
spare_enter(void)
{
    return add_folders(false) < 0 ? WASGI_STATUS_MEMORY : WASGI_STATUS_OK;
}

int32_t
spare_adopt(char **args, Py_ssize_t arg_count, char **paths, Py_ssize_t path_count)
{
    PyObject *arguments = list_of(args, arg_count, PyUnicode_DecodeFSDefault);
    PyObject *folders = list_of(paths, path_count, PyUnicode_DecodeFSDefault);
    PyObject *variables = environment(), *done = NULL;
    if (arguments != NULL && folders != NULL && variables != NULL) {
        done = PyObject_CallMethod(module, "adopt", "OOO", arguments, folders, variables);
    }
    Py_XDECREF(arguments);
    Py_XDECREF(folders);
    Py_XDECREF(variables);
    if (done == NULL) {
        log_exception();
        return WASGI_STATUS_INTERNAL;
    }
    int32_t status = done == Py_True ? WASGI_STATUS_OK : WASGI_STATUS_STATE;
    Py_DECREF(done);
    return status;
}

void
spare_drop(void)
{
    if (module == NULL) {
        return;
    }
    PyObject *done = PyObject_CallMethod(module, "drop", NULL);
    if (done == NULL) {
        log_exception();
    }
    Py_XDECREF(done);
    Py_CLEAR(module);
}
