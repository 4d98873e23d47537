/* The functions that the host calls; package abi documents each. */
#include "gateway.h"

#define EXPORT(name) __attribute__((export_name(name)))

struct gateway gateway;

EXPORT(WASGI_EXPORT_VERSION)
int32_t
wasgi_abi_version(void)
{
    return WASGI_VERSION;
}

EXPORT(WASGI_EXPORT_ALLOC)
void *
wasgi_alloc(uint32_t size)
{
    return message_reserve(size);
}

EXPORT(WASGI_EXPORT_BOOT)
int32_t
wasgi_boot(uint32_t size)
{
    meter_keep();
    if (gateway.stage != STAGE_NEW && gateway.stage != STAGE_SPARE) {
        return WASGI_STATUS_STATE;
    }
    return gateway_boot(size);
}

EXPORT(WASGI_EXPORT_LOAD)
int32_t
wasgi_load(uint32_t size)
{
    if (gateway.stage != STAGE_BOOTED || gateway.python_mode) {
        return WASGI_STATUS_STATE;
    }
    return gateway_load(size);
}

EXPORT(WASGI_EXPORT_HANDLE)
int32_t
wasgi_handle(uint32_t size)
{
    if (gateway.stage != STAGE_LOADED) {
        return WASGI_STATUS_STATE;
    }
    return gateway_handle(size);
}

EXPORT(WASGI_EXPORT_RUN)
int32_t
wasgi_run(void)
{
    if (gateway.stage != STAGE_BOOTED || !gateway.python_mode) {
        log_gateway("wasgi_run needs wasgi_boot in mode python before it");
        return 255;
    }
    return gateway_run();
}

EXPORT(WASGI_EXPORT_BEFORE_SNAPSHOT)
int32_t
wasgi_before_snapshot(void)
{
    if (gateway.stage < STAGE_BOOTED || gateway.stage == STAGE_ENDED) {
        return WASGI_STATUS_STATE;
    }
    return gateway_before_snapshot();
}

EXPORT(WASGI_EXPORT_AFTER_RESTORE)
int32_t
wasgi_after_restore(void)
{
    if (gateway.stage < STAGE_BOOTED || gateway.stage == STAGE_ENDED) {
        return WASGI_STATUS_STATE;
    }
    return gateway_after_restore();
}

EXPORT(WASGI_EXPORT_INTERRUPT)
int32_t
wasgi_interrupt(int32_t signal)
{
    return interrupt_raise(signal);
}
