/* What a status line and a header may look like: RFC 9110 sections 5 and 15,
 * and what PEP 3333 reserves for the server. */
#include "gateway.h"

#include <string.h>
#include <strings.h>

static bool
has_control(struct span s)
{
    for (uint32_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return true;
        }
    }
    return false;
}

/* The characters of an HTTP token (RFC 9110 section 5.6.2). */
static const bool token_chars[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
    ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true,
    ['\''] = true, ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,
    ['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,
};

static bool
is_token(struct span s)
{
    for (uint32_t i = 0; i < s.size; i++) {
        if (!token_chars[(unsigned char)s.data[i]]) {
            return false;
        }
    }
    return s.size > 0;
}

static bool
equals_fold(struct span s, const char *lower)
{
    return s.size == strlen(lower) && strncasecmp(s.data, lower, s.size) == 0;
}

/* wsgiref.util.is_hop_by_hop, and trailer: only the server may use these. */
static bool
is_hop_by_hop(struct span s)
{
    switch (s.data[0] | 0x20) {
    case 'c':
        return equals_fold(s, "connection");
    case 'k':
        return equals_fold(s, "keep-alive");
    case 'p':
        return equals_fold(s, "proxy-authenticate") ||
               equals_fold(s, "proxy-authorization");
    case 't':
        return equals_fold(s, "te") || equals_fold(s, "trailers") ||
               equals_fold(s, "trailer") || equals_fold(s, "transfer-encoding");
    case 'u':
        return equals_fold(s, "upgrade");
    default:
        return false;
    }
}

static int
note_content_length(Response *r, struct span s, PyObject *value)
{
    uint64_t n = 0;
    bool valid = s.size > 0 && s.size <= 18;
    for (uint32_t i = 0; valid && i < s.size; i++) {
        valid = s.data[i] >= '0' && s.data[i] <= '9';
        n = n * 10 + (uint64_t)(s.data[i] - '0');
    }
    if (!valid) {
        PyErr_Format(PyExc_ValueError, "Content-Length is not a number of bytes: %R",
                     value);
        return -1;
    }
    if (r->has_length && r->length != n) {
        PyErr_Format(PyExc_ValueError, "two different Content-Length headers: %llu and %R",
                     (unsigned long long)r->length, value);
        return -1;
    }
    r->has_length = true;
    r->length = n;
    return 0;
}

int
header_check(Response *r, struct span name, struct span value, PyObject *pair)
{
    if (!is_token(name)) {
        PyErr_Format(PyExc_ValueError, "header name is not a token: %R",
                     PyTuple_GET_ITEM(pair, 0));
        return -1;
    }
    if (has_control(value)) {
        PyErr_Format(PyExc_ValueError, "value of header %U has a control character: %R",
                     PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1));
        return -1;
    }
    if (is_hop_by_hop(name)) {
        PyErr_Format(PyExc_AssertionError, "hop-by-hop header not allowed: %U",
                     PyTuple_GET_ITEM(pair, 0));
        return -1;
    }
    if (equals_fold(name, "content-length")) {
        return note_content_length(r, value, PyTuple_GET_ITEM(pair, 1));
    }
    return 0;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == (char)0xa0;
}

/* "NNN reason". The reason may be empty, the space may not: PEP 3333 wants
 * no surrounding whitespace, and servers disagree about "200" alone. */
int
status_check(struct span s, PyObject *status, uint16_t *code)
{
    bool digits = s.size >= 4 && s.data[0] >= '0' && s.data[0] <= '9' &&
                  s.data[1] >= '0' && s.data[1] <= '9' && s.data[2] >= '0' &&
                  s.data[2] <= '9' && s.data[3] == ' ';
    bool padded = digits && s.size > 4 &&
                  (is_space(s.data[4]) || is_space(s.data[s.size - 1]));
    if (!digits || padded || has_control(s)) {
        PyErr_Format(PyExc_ValueError,
                     "status must be three digits, a space and a reason: %R", status);
        return -1;
    }
    *code = (uint16_t)((s.data[0] - '0') * 100 + (s.data[1] - '0') * 10 +
                       (s.data[2] - '0'));
    if (*code < 200 || *code > 999) {
        PyErr_Format(PyExc_ValueError, "status must be from 200 to 999: %R", status);
        return -1;
    }
    return 0;
}
