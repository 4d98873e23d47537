/* What has been sent of one response and what may follow. Nothing reaches the
 * host before the first byte of the body, the first write() or the end of the
 * iteration. PEP 3333, "Handling the Content-Length Header". */
#include "gateway.h"
#include "host.h"

static int
refused(const char *call, int32_t result)
{
    PyErr_Format(PyExc_RuntimeError, "the host refused %s (error %d)", call,
                 (int)-result);
    return -1;
}

static int
require_head(const Response *r)
{
    if (r->ready) {
        return 0;
    }
    PyErr_SetString(PyExc_AssertionError,
                    r->called ? "start_response() failed, so there is no status to send"
                              : "the application did not call start_response()");
    return -1;
}

static int
send_head(Response *r)
{
    if (r->sent) {
        return 0;
    }
    if (require_head(r) < 0) {
        return -1;
    }
    struct span head = head_data();
    int32_t result = host_response_start(head.data, head.size);
    if (result < 0) {
        return refused("response_start", result);
    }
    r->sent = true;
    return 0;
}

static int
write_host(Response *r, const char *data, size_t size, uint32_t flags)
{
    int32_t result = host_response_write(data, (uint32_t)size, flags);
    if (result == -WASGI_EPIPE) {
        r->gone = true;
        return 0;
    }
    if (result < 0) {
        return refused("response_write", result);
    }
    r->written += size;
    r->last = flags == WASGI_WRITE_LAST;
    return 0;
}

/* An empty piece sends nothing, but an application that has nothing to say for
 * a while learns by it that nobody listens. */
static int
look_for_client(Response *r)
{
    r->gone = host_response_write(NULL, 0, 0) == -WASGI_EPIPE;
    return 0;
}

/* Cuts what the application sends to what its Content-Length promised: more
 * would be read as the beginning of the next response. */
static size_t
within_length(Response *r, size_t size, bool *last)
{
    if (!r->has_length) {
        return size;
    }
    uint64_t left = r->length - r->written;
    if (size > left) {
        r->surplus = true;
        size = (size_t)left;
    }
    *last = size == left;
    return size;
}

int
response_send(Response *r, const char *data, size_t size, bool last)
{
    if (r->gone) {
        return 0;
    }
    if (size == 0) {
        return last ? 0 : look_for_client(r);
    }
    if (require_head(r) < 0) {
        return -1;
    }
    size = within_length(r, size, &last);
    if (size == 0) {
        return 0;
    }
    return send_head(r) < 0 ? -1
                            : write_host(r, data, size, last ? WASGI_WRITE_LAST : 0);
}

int
response_send_bytes(Response *r, PyObject *chunk, bool last)
{
    if (!PyBytes_Check(chunk)) {
        PyErr_Format(PyExc_TypeError,
                     "the response body must be made of bytes, not %.100s",
                     Py_TYPE(chunk)->tp_name);
        return -1;
    }
    return response_send(r, PyBytes_AS_STRING(chunk),
                         (size_t)PyBytes_GET_SIZE(chunk), last);
}

/* Sends the head alone, as the first write() must even when it has no data. */
int
response_flush_head(Response *r)
{
    if (r->sent || r->gone) {
        return 0;
    }
    return send_head(r) < 0 ? -1 : write_host(r, NULL, 0, WASGI_WRITE_FLUSH);
}

/* Has the host send what is in a file from offset on, up to Content-Length. 1
 * when it did, 0 when it cannot, -1 with an exception. */
int
response_file(Response *r, int fd, int64_t offset, uint64_t *sent)
{
    bool was_sent = r->sent;
    int64_t limit = r->has_length ? (int64_t)(r->length - r->written) : INT64_MAX;
    if (send_head(r) < 0) {
        return -1;
    }
    int64_t result = host_response_file(fd, offset, limit);
    if (result == -WASGI_EINVAL) {
        r->sent = was_sent; /* the host may still be given another one */
        return 0;
    }
    if (result == -WASGI_EPIPE) {
        r->gone = true;
        return 1;
    }
    if (result < 0) {
        return refused("response_file", (int32_t)result);
    }
    *sent = (uint64_t)result;
    r->written += *sent;
    r->last = !r->has_length || r->written == r->length;
    return 1;
}

int
response_hints(Response *r, struct span head)
{
    int32_t result = host_response_hints(head.data, head.size);
    if (result == -WASGI_EPIPE) {
        r->gone = true;
        return 0;
    }
    return result < 0 ? refused("response_hints", result) : 0;
}

/* Responses whose Content-Length speaks of a body that is not sent
 * (RFC 9110 sections 9.3.2 and 15.4.5). */
bool
response_may_omit_body(const Response *r)
{
    return r->head_request || r->code == 304 || r->code == 204;
}

static int
check_complete(const Response *r)
{
    if (!r->has_length || r->written == r->length || response_may_omit_body(r)) {
        return 0;
    }
    PyErr_Format(PyExc_AssertionError,
                 "the application sent %llu of the %llu bytes of its Content-Length",
                 (unsigned long long)r->written, (unsigned long long)r->length);
    return -1;
}

/* After the iteration: the head goes out now if nothing else did. */
int
response_finish(Response *r)
{
    if (r->gone) {
        return 0;
    }
    if (require_head(r) < 0 || check_complete(r) < 0) {
        return -1;
    }
    if (r->surplus && !response_may_omit_body(r)) {
        log_gateway("the application sent more than the %llu bytes of its "
                    "Content-Length; the rest was dropped",
                    (unsigned long long)r->length);
    }
    if (r->sent) {
        return 0;
    }
    return send_head(r) < 0 ? -1 : write_host(r, NULL, 0, WASGI_WRITE_LAST);
}
