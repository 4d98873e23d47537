/* The one user of the guest; pwd.py and grp.py know its name. */
#include "abi.h"
#include "posix.h"

unsigned getuid(void) { return WASGI_USER_ID; }
unsigned geteuid(void) { return WASGI_USER_ID; }
unsigned getgid(void) { return WASGI_USER_ID; }
unsigned getegid(void) { return WASGI_USER_ID; }

int getppid(void) { return 1; }

char *getlogin(void) {
    static char name[] = WASGI_USER_NAME;
    return name;
}
