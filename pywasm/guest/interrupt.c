/* The host's request to end, raised inside Python the way a signal is: the
 * code that runs sees an exception, its finally clauses run, close() is called,
 * and the traceback says where it was. Works wherever CPython looks for signals:
 * between byte codes, in regular expressions, in big integers. */
#include "gateway.h"

#include <signal.h>

/* Not an Exception: "except Exception" is for what an application expects. */
static PyObject *
time_over(PyObject *exception, PyObject *args)
{
    PyErr_SetString(exception, "the host's time limit for this call is used up");
    return NULL;
}

static PyMethodDef time_over_method = {
    "time_over", time_over, METH_VARARGS, "Raises what ends a call that took too long."};

/* signal.signal checks and keeps the handler like any other; an application may
 * put its own in its place. */
static int
set_handler(PyObject *handler)
{
    PyObject *signals = PyImport_ImportModule("_signal");
    PyObject *old = signals == NULL ? NULL
                                    : PyObject_CallMethod(signals, "signal", "iO",
                                                          WASGI_SIGNAL_TIME, handler);
    Py_XDECREF(old);
    Py_XDECREF(signals);
    return old == NULL ? -1 : 0;
}

int
interrupt_install(void)
{
    PyObject *exception = PyErr_NewExceptionWithDoc(
        "wasgi.TimeOver", "The host's time limit is used up.", PyExc_BaseException, NULL);
    PyObject *handler = exception == NULL ? NULL : PyCFunction_New(&time_over_method, exception);
    int rc = handler == NULL ? -1 : set_handler(handler);
    Py_XDECREF(handler);
    Py_XDECREF(exception);
    gateway.interruptible = rc == 0;
    return rc;
}

/* Runs while other code of the guest is suspended anywhere, inside malloc for
 * one: it may do no more than a signal handler. */
int32_t
interrupt_raise(int32_t signal)
{
    bool ours = signal == WASGI_SIGNAL_TIME || signal == WASGI_SIGNAL_INTERRUPT;
    if (!ours || !gateway.interruptible || PyErr_SetInterruptEx(signal) < 0) {
        return WASGI_STATUS_STATE;
    }
    return WASGI_STATUS_OK;
}
