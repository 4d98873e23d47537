/* The imports of the module for files; package abi (files.go) documents each. */
#ifndef WASGI_HOST_FILES_H
#define WASGI_HOST_FILES_H

#include <stdint.h>

#include "abi.h"

#define FILES_IMPORT(name) \
    __attribute__((import_module(WASGI_FILES_MODULE), import_name(name)))

FILES_IMPORT(WASGI_FILES_DUP)
int32_t files_dup(int32_t fd, uint32_t least, uint32_t *result);

FILES_IMPORT(WASGI_FILES_DUP2)
int32_t files_dup2(int32_t fd, uint32_t to);

FILES_IMPORT(WASGI_FILES_CREATE_MODE)
int32_t files_create_mode(uint32_t mode);

FILES_IMPORT(WASGI_FILES_FD_CHMOD)
int32_t files_fd_chmod(int32_t fd, uint32_t mode);

FILES_IMPORT(WASGI_FILES_PATH_CHMOD)
int32_t files_path_chmod(int32_t fd, uint32_t lookup, const char *path, uint32_t size, uint32_t mode);

FILES_IMPORT(WASGI_FILES_LOCK)
int32_t files_lock(int32_t fd, uint32_t operation, uint32_t kind, int64_t start, int64_t length, void *found);

FILES_IMPORT(WASGI_FILES_FLOCK)
int32_t files_flock(int32_t fd, uint32_t operation);

#endif
