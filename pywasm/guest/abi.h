/* Generated from package abi (go generate ./abi). Do not edit. */
#ifndef WASGI_ABI_H
#define WASGI_ABI_H

#define WASGI_VERSION 4
#define WASGI_WRITE_LAST 1
#define WASGI_WRITE_FLUSH 2
#define WASGI_MAX_MESSAGE 1048576
#define WASGI_MAX_ENTRIES 1024
#define WASGI_MAX_RESPONSE_HEAD 262144
#define WASGI_MAX_HEADERS 512
#define WASGI_MAX_HINTS 16
#define WASGI_MAX_LOG 65536
#define WASGI_SIGNAL_INTERRUPT 2
#define WASGI_SIGNAL_TIME 24
#define WASGI_EINVAL 1
#define WASGI_EFAULT 2
#define WASGI_E2BIG 3
#define WASGI_ESTATE 4
#define WASGI_EPIPE 5
#define WASGI_EIO 6
#define WASGI_EACCESS 7
#define WASGI_STATUS_OK 0
#define WASGI_STATUS_EXCEPTION 1
#define WASGI_STATUS_INVALID 2
#define WASGI_STATUS_STATE 3
#define WASGI_STATUS_MEMORY 4
#define WASGI_STATUS_ENTRY 5
#define WASGI_STATUS_INTERNAL 6
#define WASGI_LOG_ERRORS 0
#define WASGI_LOG_TRACEBACK 1
#define WASGI_LOG_GATEWAY 2
#define WASGI_FILE_MODE_OFFSET 18
#define WASGI_FILE_MODE_KNOWN 32768
#define WASGI_FILE_MODE_MOUNTED 16384
#define WASGI_LOCK_TEST 0
#define WASGI_LOCK_TRY 1
#define WASGI_LOCK_WAIT 2
#define WASGI_USER_ID 1000
#define WASGI_SOCKET_ADDRESS_SIZE 24
#define WASGI_REFUSE_LISTEN 1
#define WASGI_REFUSE_RAW 2
#define WASGI_REFUSE_UNIX 3
#define WASGI_REFUSE_BIND 4

#define WASGI_MODULE "wasgi"
#define WASGI_IMPORT_RESPONSE_START "response_start"
#define WASGI_IMPORT_RESPONSE_WRITE "response_write"
#define WASGI_IMPORT_RESPONSE_FILE "response_file"
#define WASGI_IMPORT_RESPONSE_HINTS "response_hints"
#define WASGI_IMPORT_BODY_READ "body_read"
#define WASGI_IMPORT_LOG "log"
#define WASGI_IMPORT_METER "meter"
#define WASGI_EXPORT_VERSION "wasgi_abi_version"
#define WASGI_EXPORT_ALLOC "wasgi_alloc"
#define WASGI_EXPORT_BOOT "wasgi_boot"
#define WASGI_EXPORT_LOAD "wasgi_load"
#define WASGI_EXPORT_HANDLE "wasgi_handle"
#define WASGI_EXPORT_RUN "wasgi_run"
#define WASGI_EXPORT_BEFORE_SNAPSHOT "wasgi_before_snapshot"
#define WASGI_EXPORT_AFTER_RESTORE "wasgi_after_restore"
#define WASGI_EXPORT_INTERRUPT "wasgi_interrupt"
#define WASGI_BOOT_MODE "mode"
#define WASGI_BOOT_ARG "arg"
#define WASGI_BOOT_PATH "path"
#define WASGI_BOOT_CWD "cwd"
#define WASGI_BOOT_MODE_WSGI "wsgi"
#define WASGI_BOOT_MODE_PYTHON "python"
#define WASGI_BOOT_MODE_SPARE "spare"
#define WASGI_LOAD_ENTRY "entry"
#define WASGI_LOAD_ENVIRON "environ"
#define WASGI_FILES_MODULE "wasgi_files"
#define WASGI_FILES_DUP "fd_dup"
#define WASGI_FILES_DUP2 "fd_dup2"
#define WASGI_FILES_CREATE_MODE "create_mode"
#define WASGI_FILES_FD_CHMOD "fd_chmod"
#define WASGI_FILES_PATH_CHMOD "path_chmod"
#define WASGI_FILES_LOCK "fd_lock"
#define WASGI_FILES_FLOCK "fd_flock"
#define WASGI_USER_NAME "wasgi"
#define WASGI_SOCKET_MODULE "wasgi_socket"
#define WASGI_SOCKET_OPEN "open"
#define WASGI_SOCKET_PAIR "pair"
#define WASGI_SOCKET_CONNECT "connect"
#define WASGI_SOCKET_NAME "name"
#define WASGI_SOCKET_SEND "send"
#define WASGI_SOCKET_RECEIVE "recv"
#define WASGI_SOCKET_SHUTDOWN "shutdown"
#define WASGI_SOCKET_OPTION_GET "option_get"
#define WASGI_SOCKET_OPTION_SET "option_set"
#define WASGI_SOCKET_RESOLVE "resolve"
#define WASGI_SOCKET_REFUSE "refuse"
#define WASGI_SOCKET_REFUSAL "refusal"

#define WASGI_KEY_COUNT 44
#define WASGI_KEYS \
	/* 0 */ "", \
	/* 1 */ "REQUEST_METHOD", \
	/* 2 */ "SCRIPT_NAME", \
	/* 3 */ "PATH_INFO", \
	/* 4 */ "QUERY_STRING", \
	/* 5 */ "CONTENT_TYPE", \
	/* 6 */ "CONTENT_LENGTH", \
	/* 7 */ "SERVER_NAME", \
	/* 8 */ "SERVER_PORT", \
	/* 9 */ "SERVER_PROTOCOL", \
	/* 10 */ "REMOTE_ADDR", \
	/* 11 */ "REMOTE_PORT", \
	/* 12 */ "REQUEST_URI", \
	/* 13 */ "RAW_URI", \
	/* 14 */ "wsgi.url_scheme", \
	/* 15 */ "HTTPS", \
	/* 16 */ "HTTP_HOST", \
	/* 17 */ "HTTP_USER_AGENT", \
	/* 18 */ "HTTP_ACCEPT", \
	/* 19 */ "HTTP_ACCEPT_ENCODING", \
	/* 20 */ "HTTP_ACCEPT_LANGUAGE", \
	/* 21 */ "HTTP_CONNECTION", \
	/* 22 */ "HTTP_COOKIE", \
	/* 23 */ "HTTP_REFERER", \
	/* 24 */ "HTTP_ORIGIN", \
	/* 25 */ "HTTP_CACHE_CONTROL", \
	/* 26 */ "HTTP_PRAGMA", \
	/* 27 */ "HTTP_AUTHORIZATION", \
	/* 28 */ "HTTP_IF_NONE_MATCH", \
	/* 29 */ "HTTP_IF_MODIFIED_SINCE", \
	/* 30 */ "HTTP_RANGE", \
	/* 31 */ "HTTP_UPGRADE_INSECURE_REQUESTS", \
	/* 32 */ "HTTP_SEC_FETCH_DEST", \
	/* 33 */ "HTTP_SEC_FETCH_MODE", \
	/* 34 */ "HTTP_SEC_FETCH_SITE", \
	/* 35 */ "HTTP_SEC_FETCH_USER", \
	/* 36 */ "HTTP_DNT", \
	/* 37 */ "HTTP_TRACEPARENT", \
	/* 38 */ "HTTP_X_FORWARDED_FOR", \
	/* 39 */ "HTTP_X_FORWARDED_PROTO", \
	/* 40 */ "HTTP_X_FORWARDED_HOST", \
	/* 41 */ "HTTP_X_REQUEST_ID", \
	/* 42 */ "HTTP_X_REQUESTED_WITH", \
	/* 43 */ "wasgi.request_id",

#endif
