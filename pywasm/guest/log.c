/* Texts for the tenant's log. */
#include "gateway.h"
#include "host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
log_text(int32_t level, const char *text, size_t size)
{
    if (size > WASGI_MAX_LOG) {
        size = WASGI_MAX_LOG;
    }
    (void)host_log(level, text, (uint32_t)size);
}

void
log_gateway(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0) {
        log_text(WASGI_LOG_GATEWAY, text, strlen(text));
    }
}

/* What is left to say when the traceback itself cannot be made, as happens
 * when memory has run out. */
static void
log_without_traceback(PyObject *exception)
{
    PyErr_Clear();
    char text[256];
    int n = snprintf(text, sizeof text, "%s (its traceback could not be formatted)",
                     Py_TYPE(exception)->tp_name);
    if (n > 0) {
        log_text(WASGI_LOG_TRACEBACK, text, strlen(text));
    }
}

void
log_exception(void)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (exception == NULL) {
        return;
    }
    PyObject *text = PyObject_CallMethod(gateway.bootstrap, "format_exception",
                                         "O", exception);
    Py_ssize_t size = 0;
    const char *utf8 = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &size);
    if (utf8 != NULL) {
        log_text(WASGI_LOG_TRACEBACK, utf8, (size_t)size);
    }
    else {
        log_without_traceback(exception);
    }
    Py_XDECREF(text);
    Py_DECREF(exception);
}
