/* The functions that the host provides; package abi documents each. */
#ifndef WASGI_HOST_H
#define WASGI_HOST_H

#include <stdint.h>

#include "abi.h"

#define HOST_IMPORT(name) \
    __attribute__((import_module(WASGI_MODULE), import_name(name)))

HOST_IMPORT(WASGI_IMPORT_RESPONSE_START)
int32_t host_response_start(const void *head, uint32_t size);

HOST_IMPORT(WASGI_IMPORT_RESPONSE_WRITE)
int32_t host_response_write(const void *data, uint32_t size, uint32_t flags);

HOST_IMPORT(WASGI_IMPORT_RESPONSE_FILE)
int64_t host_response_file(int32_t fd, int64_t offset, int64_t limit);

HOST_IMPORT(WASGI_IMPORT_RESPONSE_HINTS)
int32_t host_response_hints(const void *head, uint32_t size);

HOST_IMPORT(WASGI_IMPORT_BODY_READ)
int32_t host_body_read(void *data, uint32_t size);

HOST_IMPORT(WASGI_IMPORT_LOG)
int32_t host_log(int32_t level, const void *text, uint32_t size);

HOST_IMPORT(WASGI_IMPORT_METER)
int32_t host_meter(void);

#endif
