/* wsgi.input, shared by what reads (input.c) and what Python sees
 * (input_methods.c). */
#ifndef WASGI_INPUT_H
#define WASGI_INPUT_H

#include "gateway.h"

typedef struct {
    PyObject_HEAD
    uint64_t declared; /* CONTENT_LENGTH, 0 if unknown */
    uint64_t consumed; /* bytes taken from the host */
    char *room;        /* LINE_ROOM bytes, made by the first line */
    uint32_t next, filled;
    bool ended;        /* the host said so, or the request is over */
} Input;

/* Fills data; fewer bytes only at the end of the body, -1 with an exception. */
Py_ssize_t input_fill(Input *self, char *data, size_t size);

/* At most limit bytes, fewer only at the end of the body. */
PyObject *input_read_up_to(Input *self, size_t limit);

/* The next line, at most limit bytes of it; empty at the end of the body. */
PyObject *input_read_line(Input *self, size_t limit);

#endif
