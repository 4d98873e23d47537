/* Starts the interpreter: everything is set explicitly, nothing is looked for.
 * The environment is the tenant's own, so PYTHON* variables are honoured. */
#include "gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STDLIB "/usr/lib/python3.13"

struct boot {
    bool python, spare;
    char *cwd;
    char **args;
    Py_ssize_t arg_count;
    char **paths;
    Py_ssize_t path_count;
};

static char *
copy_text(struct span s)
{
    if (s.size > 0 && memchr(s.data, 0, s.size) != NULL) {
        return NULL;
    }
    char *text = malloc((size_t)s.size + 1);
    if (text != NULL) {
        memcpy(text, s.data, s.size);
        text[s.size] = 0;
    }
    return text;
}

static bool
append(char ***list, Py_ssize_t *count, struct span s)
{
    char **longer = realloc(*list, (size_t)(*count + 1) * sizeof(char *));
    if (longer == NULL) {
        return false;
    }
    *list = longer;
    longer[*count] = copy_text(s);
    return longer[(*count)++] != NULL;
}

static int32_t
boot_pair(void *arg, struct span key, struct span value)
{
    struct boot *boot = arg;
    bool valid = false;
    if (span_equals(key, WASGI_BOOT_MODE)) {
        boot->python = span_equals(value, WASGI_BOOT_MODE_PYTHON);
        boot->spare = span_equals(value, WASGI_BOOT_MODE_SPARE);
        valid = boot->python || boot->spare || span_equals(value, WASGI_BOOT_MODE_WSGI);
    }
    else if (span_equals(key, WASGI_BOOT_CWD)) {
        free(boot->cwd);
        valid = (boot->cwd = copy_text(value)) != NULL;
    }
    else if (span_equals(key, WASGI_BOOT_ARG)) {
        valid = append(&boot->args, &boot->arg_count, value);
    }
    else if (span_equals(key, WASGI_BOOT_PATH)) {
        valid = append(&boot->paths, &boot->path_count, value);
    }
    return valid ? WASGI_STATUS_OK : WASGI_STATUS_INVALID;
}

/* python --version and the like are done when the configuration is read. */
static int32_t
status_of(PyStatus s)
{
    if (!PyStatus_Exception(s)) {
        return WASGI_STATUS_OK;
    }
    if (PyStatus_IsExit(s)) {
        gateway.exited = true;
        gateway.exit_status = s.exitcode;
        return WASGI_STATUS_OK;
    }
    log_gateway("python does not start: %s: %s", s.func != NULL ? s.func : "?",
                s.err_msg != NULL ? s.err_msg : "no memory");
    return WASGI_STATUS_INTERNAL;
}

static PyStatus
preinitialize(const struct boot *boot)
{
    PyPreConfig pre;
    PyPreConfig_InitPythonConfig(&pre);
    pre.parse_argv = boot->python;
    pre.utf8_mode = 1;
    return Py_PreInitializeFromBytesArgs(&pre, boot->arg_count, boot->args);
}

static PyStatus
append_path(PyConfig *config, const char *path)
{
    wchar_t *decoded = Py_DecodeLocale(path, NULL);
    if (decoded == NULL) {
        return PyStatus_NoMemory();
    }
    PyStatus s = PyWideStringList_Append(&config->module_search_paths, decoded);
    PyMem_RawFree(decoded);
    return s;
}

/* PYTHONPATH is not read by CPython once the search path is explicit. */
static PyStatus
append_environment_path(PyConfig *config)
{
    PyStatus s = PyStatus_Ok();
    const char *value = getenv("PYTHONPATH");
    char *copy = value != NULL && config->use_environment != 0 ? strdup(value) : NULL;
    char *rest = copy, *path;
    while (!PyStatus_Exception(s) && rest != NULL && (path = strsep(&rest, ":")) != NULL) {
        if (*path != 0) {
            s = append_path(config, path);
        }
    }
    free(copy);
    return s;
}

static PyStatus
set_paths(PyConfig *config, const struct boot *boot)
{
    PyStatus s = PyStatus_Ok();
    config->module_search_paths_set = 1;
    for (Py_ssize_t i = 0; !PyStatus_Exception(s) && i < boot->path_count; i++) {
        s = append_path(config, boot->paths[i]);
    }
    if (!PyStatus_Exception(s)) {
        s = append_environment_path(config);
    }
    if (!PyStatus_Exception(s)) {
        s = append_path(config, STDLIB);
    }
    if (!PyStatus_Exception(s)) {
        s = append_path(config, STDLIB "/site-packages");
    }
    return s;
}

static PyStatus
set_names(PyConfig *config)
{
    PyStatus s = PyConfig_SetString(config, &config->home, L"/usr");
    if (!PyStatus_Exception(s)) {
        s = PyConfig_SetString(config, &config->program_name, L"/usr/bin/python3.13");
    }
    if (!PyStatus_Exception(s)) {
        s = PyConfig_SetString(config, &config->executable, L"/usr/bin/python3.13");
    }
    if (!PyStatus_Exception(s)) { /* frozen modules, such as os, find their __file__ by it */
        s = PyConfig_SetString(config, &config->stdlib_dir, L"" STDLIB);
    }
    return s;
}

/* The interpreter starts in two phases, so that os.register_at_fork is there
 * before the first line of Python runs, sitecustomize's included. */
static PyStatus
configure(PyConfig *config, const struct boot *boot)
{
    config->parse_argv = boot->python;
    config->install_signal_handlers = boot->python; /* KeyboardInterrupt */
    config->write_bytecode = 0;
    config->user_site_directory = 0;
    config->_init_main = 0;
    PyStatus s = set_names(config);
    if (!PyStatus_Exception(s)) {
        s = set_paths(config, boot);
    }
    if (!PyStatus_Exception(s)) {
        s = PyConfig_SetBytesArgv(config, boot->arg_count, boot->args);
    }
    return PyStatus_Exception(s) ? s : Py_InitializeFromConfig(config);
}

static PyStatus
initialize(const struct boot *boot)
{
    PyStatus s = preinitialize(boot);
    if (PyStatus_Exception(s)) {
        return s;
    }
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    s = configure(&config, boot);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(s)) {
        return s;
    }
    return forkhooks_install() < 0 ? PyStatus_Error("register_at_fork is not to be had")
                                   : _Py_InitializeMain();
}

static int32_t
import_bootstrap(void)
{
    gateway.bootstrap = PyImport_ImportModule("_wasgi_bootstrap");
    PyObject *done = gateway.bootstrap == NULL
                         ? NULL
                         : PyObject_CallMethod(gateway.bootstrap, "start", NULL);
    if (done == NULL || (!gateway.python_mode && console_install() < 0) ||
        interrupt_install() < 0) {
        Py_XDECREF(done);
        PyErr_Print();
        log_gateway("the module _wasgi_bootstrap does not work: is " STDLIB " whole?");
        return WASGI_STATUS_INTERNAL;
    }
    Py_DECREF(done);
    return WASGI_STATUS_OK;
}

static int32_t
enter_cwd(const struct boot *boot)
{
    if (boot->cwd != NULL && *boot->cwd != 0 && chdir(boot->cwd) != 0) {
        log_gateway("cannot enter the working directory %s: %s", boot->cwd,
                    strerror(errno));
        return WASGI_STATUS_INVALID;
    }
    return WASGI_STATUS_OK;
}

static int32_t
start(const struct boot *boot)
{
    gateway.python_mode = boot->python;
    int32_t status = enter_cwd(boot);
    if (status == WASGI_STATUS_OK) {
        if (boot->spare) {
            spare_tls_install();
        }
        status = status_of(initialize(boot));
    }
    if (status == WASGI_STATUS_OK && !gateway.exited) {
        status = import_bootstrap();
    }
    if (status == WASGI_STATUS_OK && boot->spare) {
        status = spare_fill();
    }
    if (status == WASGI_STATUS_OK) {
        gateway.stage = boot->spare ? STAGE_SPARE : STAGE_BOOTED;
    }
    return status;
}

/* Boots a spare interpreter for good. */
static int32_t
adopt(const struct boot *boot)
{
    if (boot->python || boot->spare) {
        return WASGI_STATUS_STATE;
    }
    int32_t status = spare_enter();
    if (status == WASGI_STATUS_OK) {
        status = enter_cwd(boot);
    }
    if (status != WASGI_STATUS_OK) {
        return status;
    }
    status = spare_adopt(boot->args, boot->arg_count, boot->paths, boot->path_count);
    if (status == WASGI_STATUS_OK) {
        gateway.stage = STAGE_BOOTED;
    }
    return status;
}

static void
free_list(char **list, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        free(list[i]);
    }
    free(list);
}

int32_t
gateway_boot(uint32_t size)
{
    struct boot boot = {0};
    int32_t status = message_pairs(size, boot_pair, &boot);
    if (status == WASGI_STATUS_OK) {
        status = gateway.stage == STAGE_SPARE ? adopt(&boot) : start(&boot);
    }
    free(boot.cwd);
    free_list(boot.args, boot.arg_count);
    free_list(boot.paths, boot.path_count);
    return status;
}
