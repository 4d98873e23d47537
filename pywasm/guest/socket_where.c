/* Which line opened a socket, for who leaves one open at the snapshot. */
#include "gateway.h"
#include "socket_host.h"

#include <string.h>

static bool
is_library(const char *file)
{
    static const char library[] = "/usr/lib/python3.13/", site[] = "/usr/lib/python3.13/site-packages/";
    return *file == '<' ||
           (strncmp(file, library, sizeof library - 1) == 0 && strncmp(file, site, sizeof site - 1) != 0);
}

static size_t
write_line(PyFrameObject *frame, const char *file, char *text, size_t most)
{
    int size = PyOS_snprintf(text, most, "%s:%d", file, PyFrame_GetLineNumber(frame));
    return size < 0 ? 0 : (size_t)size < most ? (size_t)size : most - 1;
}

/* The first frame outside the standard library, else the innermost. */
static size_t
find_line(char *text, size_t most)
{
    size_t size = 0;
    PyFrameObject *frame = (PyFrameObject *)Py_XNewRef(PyEval_GetFrame());
    while (frame != NULL) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        const char *file = PyUnicode_AsUTF8(code->co_filename);
        bool found = file != NULL && !is_library(file);
        if (file != NULL && (found || size == 0)) {
            size = write_line(frame, file, text, most);
        }
        Py_DECREF(code);
        PyFrameObject *back = found ? NULL : PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
    PyErr_Clear();
    return size;
}

/* Python calls socket() without its thread state. */
size_t
socket_where(char *text, size_t most)
{
    if (gateway.frozen || !Py_IsInitialized()) {
        return 0;
    }
    PyGILState_STATE state = PyGILState_Ensure();
    size_t size = find_line(text, most);
    PyGILState_Release(state);
    return size;
}
