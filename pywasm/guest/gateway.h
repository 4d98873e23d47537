/* What the files of the gateway share. The contract with the host is abi.h
 * (package abi documents it); one instance serves one request at a time, so
 * the state is one struct and nothing is locked. */
#ifndef WASGI_GATEWAY_H
#define WASGI_GATEWAY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"

/* How far the instance has come. Each export asks for one stage. */
enum stage { STAGE_NEW, STAGE_SPARE, STAGE_BOOTED, STAGE_LOADED, STAGE_ENDED };

struct gateway {
    enum stage stage;
    bool python_mode;       /* boot's mode was WASGI_BOOT_MODE_PYTHON */
    bool interruptible;     /* interrupt_install has worked */
    bool frozen;            /* ready for the snapshot, or restored from one */
    bool exited;            /* python's command line asked for an early exit */
    int exit_status;        /* its status, when exited */
    PyObject *bootstrap;    /* module _wasgi_bootstrap */
    PyObject *app;          /* the WSGI callable */
    PyObject *base_environ; /* copied for each request, never changed */
    PyObject *errors;       /* wsgi.errors, one for all requests */
};

extern struct gateway gateway;

/* message.c: the buffer that the host writes messages to, and a reader that
 * yields zeroes after the first read past the end and sets bad. */
struct span {
    const char *data;
    uint32_t size;
};

struct cursor {
    const uint8_t *next, *end;
    bool bad;
};

void *message_reserve(uint32_t size);
bool message_cursor(struct cursor *c, uint32_t size);
void message_wipe(void);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
struct span cursor_take(struct cursor *c, uint32_t size);
bool cursor_done(const struct cursor *c);
bool span_equals(struct span s, const char *text);

/* Calls use for each pair of a boot or load message; stops when it returns
 * anything but WASGI_STATUS_OK. Yields WASGI_STATUS_INVALID when malformed. */
typedef int32_t (*pair_fn)(void *arg, struct span key, struct span value);
int32_t message_pairs(uint32_t size, pair_fn use, void *arg);

/* log.c */
void log_text(int32_t level, const char *text, size_t size);
void log_gateway(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_exception(void); /* takes the exception that is set, and clears it */

/* boot.c, load.c, run.c */
int32_t gateway_boot(uint32_t size);
int32_t gateway_load(uint32_t size);
int32_t gateway_run(void);

/* spare.c: an interpreter that waits for an application, and has imported ahead
 * what it will want. Enter, then adopt, give it one; WASGI_STATUS_STATE says that
 * it needs an interpreter of its own. */
int32_t spare_fill(void);
int32_t spare_enter(void);
int32_t spare_adopt(char **args, Py_ssize_t arg_count, char **paths, Py_ssize_t path_count);
void spare_drop(void);

/* spare_tls.c: install comes before Python, used once OpenSSL has been */
void spare_tls_install(void);
void spare_tls_used(void);

/* watch.c: tuple of watch, touched and unwatch */
PyObject *watch_functions(void);

/* environ.c */
struct response;
int environ_init(void);
PyObject *environ_base(void);
int environ_add_base(PyObject *base, struct span pair);
int32_t environ_decode(uint32_t size, struct response *r, PyObject **environ);
int environ_set_input(PyObject *environ, PyObject *input);

/* input.c, input_methods.c: wsgi.input */
extern PyTypeObject InputType;
PyObject *input_new(uint64_t length_hint);
void input_end(PyObject *input);

/* lines.c: what has no newline yet waits, the rest goes to sink, at most
 * LINES_MOST bytes a call. sink returns -1 with an exception when it fails. */
enum { LINES_ROOM = 8 << 10, LINES_MOST = WASGI_MAX_LOG };

struct lines {
    int (*sink)(int target, const char *text, size_t size);
    int target;
    size_t used;
    char room[LINES_ROOM];
};

int lines_put(struct lines *self, const char *text, size_t size);
int lines_drain(struct lines *self);

/* console.c: the binary side of sys.stdout and sys.stderr */
extern PyTypeObject ConsoleType;
int console_install(void);
void console_end_request(void);

/* errors.c: wsgi.errors */
extern PyTypeObject ErrorsType;
PyObject *errors_new(void);
void errors_end_request(PyObject *errors);

/* file_wrapper.c: wsgi.file_wrapper */
extern PyTypeObject FileWrapperType;
PyObject *file_wrapper_file(PyObject *wrapper); /* borrowed */

/* response.c, start_response.c: the state of one response, which is also the start_response
 * object that the application gets. */
typedef struct response {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    uint64_t length;      /* Content-Length, when has_length */
    uint64_t written;     /* bytes handed to the host */
    uint64_t body_length; /* CONTENT_LENGTH of the request, 0 if unknown */
    bool live;            /* its request has not ended */
    bool called;          /* start_response was called, even if it raised */
    bool ready;           /* the head buffer holds a valid head */
    bool sent;            /* the host has the head: too late to replace it */
    bool last;            /* the host was told that no byte follows */
    bool gone;            /* the client has gone */
    bool has_length;
    bool head_request;    /* REQUEST_METHOD is HEAD */
    bool surplus;         /* the application sent more than Content-Length */
    uint8_t hints;        /* how often wsgi.early_hints was called */
    uint16_t code;        /* three digits, when ready */
} Response;

extern PyTypeObject ResponseType;
Response *response_new(void); /* start_response.c */
int response_send(Response *r, const char *data, size_t size, bool last);
int response_send_bytes(Response *r, PyObject *bytes, bool last);
int response_flush_head(Response *r);
int response_file(Response *r, int fd, int64_t offset, uint64_t *sent);
int response_hints(Response *r, struct span head);
int response_finish(Response *r);
bool response_may_omit_body(const Response *r);

/* head.c: checks status and headers and lays them out for response_start, or
 * for response_hints. What head_data shows is valid until the next head_encode. */
int head_encode(Response *r, PyObject *status, PyObject *headers);
struct span head_data(void);
int head_encode_hints(PyObject *headers, struct span *head);

/* header_check.c: -1 with an exception when the text may not be sent. status
 * and pair are the Python objects, for the words of the exception. */
int status_check(struct span text, PyObject *status, uint16_t *code);
int header_check(Response *r, struct span name, struct span value, PyObject *pair);

/* sendfile.c: has the host send a file that it can read by itself. 1 when it
 * did, 0 when the file is to be read here, -1 with an exception. */
int sendfile_result(Response *r, PyObject *wrapper);

/* early_hints.c: wsgi.early_hints of one request */
PyObject *early_hints_new(Response *r);

/* iterate.c: transmits what the application returned. */
int iterate_result(Response *r, PyObject *result);
void iterate_close(PyObject *result);

/* handle.c */
int32_t gateway_handle(uint32_t size);

/* forkhooks.c, snapshot.c, reseed.c, random.c, random_tls.c */
int forkhooks_install(void);
void immortalize_all(PyObject *objects);
void forkhooks_before_snapshot(void);
void forkhooks_after_restore(void);
void reseed_before_snapshot(void);
void tls_random_forget(void);
void random_forget(PyObject *module);
int32_t gateway_before_snapshot(void);
int32_t gateway_after_restore(void);

/* interrupt.c: the host asks what runs to end */
int interrupt_install(void);
int32_t interrupt_raise(int32_t signal);

/* meter.c */
void meter_keep(void);

#endif
