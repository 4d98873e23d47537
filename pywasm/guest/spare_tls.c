/* OpenSSL reads OPENSSL_CONF once, when it is first used, and a spare interpreter has
 * used it before there was an application. So a module of it that is initialised
 * again has what an application named before read then. */
#include "gateway.h"

#include <openssl/conf.h>
#include <stdlib.h>
#include <string.h>

PyObject *PyInit__ssl(void);
PyObject *PyInit__hashlib(void);

static bool late; /* it has been used, with no such variable */

static void
configure(void)
{
    if (late && getenv("OPENSSL_CONF") != NULL) {
        late = false;
        CONF_modules_load_file(NULL, NULL,
                               CONF_MFLAGS_DEFAULT_SECTION | CONF_MFLAGS_IGNORE_MISSING_FILE |
                                   CONF_MFLAGS_IGNORE_RETURN_CODES);
    }
}

static PyObject *
init_ssl(void)
{
    configure();
    return PyInit__ssl();
}

static PyObject *
init_hashlib(void)
{
    configure();
    return PyInit__hashlib();
}

void
spare_tls_install(void)
{
    for (struct _inittab *module = PyImport_Inittab; module->name != NULL; module++) {
        if (strcmp(module->name, "_ssl") == 0) {
            module->initfunc = init_ssl;
        }
        else if (strcmp(module->name, "_hashlib") == 0) {
            module->initfunc = init_hashlib;
        }
    }
}

void
spare_tls_used(void)
{
    late = true;
}
