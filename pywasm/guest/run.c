/* wasgi_run: does what python's command line asks for. */
#include "gateway.h"

int32_t
gateway_run(void)
{
    gateway.stage = STAGE_ENDED; /* Py_RunMain finalizes the interpreter */
    int status = gateway.exited ? gateway.exit_status : Py_RunMain();
    return status & 0xff;
}
