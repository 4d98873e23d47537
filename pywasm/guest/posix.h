/* What wasi-libc leaves out of POSIX and posix_*.c provides. CPython and SQLite
are compiled with it in front of every file: it must include nothing, for what
a header declares depends on macros that the file defines first. The numbers are
those of musl where wasi-libc has none. */
#ifndef WASGI_POSIX_H
#define WASGI_POSIX_H

#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030
#define F_GETLK 12
#define F_SETLK 13
#define F_SETLKW 14
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

#define F_ULOCK 0
#define F_LOCK 1
#define F_TLOCK 2
#define F_TEST 3

int dup(int fd);
int dup2(int fd, int to);
int lockf(int fd, int operation, long long size);
unsigned umask(unsigned mask);
unsigned getuid(void);
unsigned geteuid(void);
unsigned getgid(void);
unsigned getegid(void);
int getppid(void);
char *getlogin(void);
void tzset(void);

#endif
