/* Imports the application and makes the base of every environ. */
#include "gateway.h"

#include "internal/pycore_interp.h"

/* An import makes objects that stay: collections in it find next to nothing, and
 * took a tenth of Flask's and its boot's 240 ms. So the first one comes this many
 * containers late. The count is what does it, and not a switch or the threshold,
 * because applications read and set those; an import that makes more garbage than
 * this has it collected as ever. Flask comes to 40,000. */
enum { IMPORT_CONTAINERS = 200000 };

struct load {
    PyObject *entry;
    PyObject *base;
};

static int32_t
load_pair(void *arg, struct span key, struct span value)
{
    struct load *load = arg;
    if (span_equals(key, WASGI_LOAD_ENTRY) && load->entry == NULL) {
        load->entry = PyUnicode_DecodeUTF8(value.data, value.size, NULL);
        return load->entry != NULL ? WASGI_STATUS_OK : WASGI_STATUS_INVALID;
    }
    if (span_equals(key, WASGI_LOAD_ENVIRON)) {
        return environ_add_base(load->base, value) == 0 ? WASGI_STATUS_OK
                                                        : WASGI_STATUS_INVALID;
    }
    return WASGI_STATUS_INVALID;
}

static int
ready_types(void)
{
    return PyType_Ready(&ErrorsType) < 0 || PyType_Ready(&InputType) < 0 ||
                   PyType_Ready(&FileWrapperType) < 0 ||
                   PyType_Ready(&ResponseType) < 0
               ? -1
               : 0;
}

/* An entry point that is not there is the deployer's mistake and gets words
 * of its own; any other exception is the application's. */
static int32_t
status_of_load_error(void)
{
    PyObject *entry_error = PyObject_GetAttrString(gateway.bootstrap, "EntryError");
    if (entry_error == NULL || !PyErr_ExceptionMatches(entry_error)) {
        Py_XDECREF(entry_error);
        log_exception();
        return WASGI_STATUS_EXCEPTION;
    }
    Py_DECREF(entry_error);
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *text = PyObject_Str(exception);
    Py_ssize_t size = 0;
    const char *utf8 = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &size);
    if (utf8 != NULL) {
        log_text(WASGI_LOG_GATEWAY, utf8, (size_t)size);
    }
    PyErr_Clear();
    Py_XDECREF(text);
    Py_DECREF(exception);
    return WASGI_STATUS_ENTRY;
}

static int32_t
import_application(PyObject *entry)
{
    if (entry == NULL) {
        log_gateway("the load message names no entry point");
        return WASGI_STATUS_INVALID;
    }
    int *count = &PyInterpreterState_Get()->gc.generations[0].count;
    *count -= IMPORT_CONTAINERS;
    gateway.app = PyObject_CallMethod(gateway.bootstrap, "load", "O", entry);
    *count = *count < 0 ? 0 : *count;
    return gateway.app != NULL ? WASGI_STATUS_OK : status_of_load_error();
}

static int32_t
load_message(uint32_t size)
{
    struct load load = {.base = environ_base()};
    if (load.base == NULL) {
        return WASGI_STATUS_MEMORY;
    }
    int32_t status = message_pairs(size, load_pair, &load);
    if (status == WASGI_STATUS_OK) {
        status = import_application(load.entry);
    }
    Py_XDECREF(load.entry);
    gateway.base_environ = load.base;
    return status;
}

int32_t
gateway_load(uint32_t size)
{
    if (ready_types() < 0 || environ_init() < 0 ||
        (gateway.errors = errors_new()) == NULL) {
        log_exception();
        return WASGI_STATUS_INTERNAL;
    }
    int32_t status = load_message(size);
    console_end_request();
    PyErr_Clear();
    if (status == WASGI_STATUS_OK) {
        gateway.stage = STAGE_LOADED;
    }
    return status;
}
