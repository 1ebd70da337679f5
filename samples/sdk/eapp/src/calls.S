/*
 * Every way out of an enclave: one ecall with the call's number in a7 and the extension's in a6; the monitor leaves its answer in a0
 * and all other registers as they were.
 *
 * The arguments are already where the C calling convention puts them, so a function of the SDK and its bare EAPP_ form are one stub.
 * Built without line information: a debugger that steps into call_enclave() goes through to the server.
 */
#include "ocall.h"

#define PENGLAI_ENCLAVE_EXTENSION 0x100101

        .cfi_sections .debug_frame
        .text

        /* A second name for the stub that follows. */
        .macro also name
        .globl  \name
        .type   \name, @function
\name:
        .endm

        .macro begin name
        .globl  \name
        .type   \name, @function
\name:
        .cfi_startproc
        .endm

        .macro end name
        .cfi_endproc
        .size   \name, . - \name
        .endm

        .macro enter number
        li      a6, PENGLAI_ENCLAVE_EXTENSION
        li      a7, \number
        ecall
        .endm

        .macro call name, number
        begin   \name
        enter   \number
        ret
        end     \name
        .endm

        /* The monitor comes back from these only to refuse (EAPP_RETURN in a server, SERVER_RETURN elsewhere). The caller
           was compiled for a function that never returns, so stop with a fault in place of running on into other code. */
        .macro leave name, number
        begin   \name
        enter   \number
        unimp
        end     \name
        .endm

        /* An ocall whose number the C function does not have as its first argument. */
        .macro ocall1 name, ocall
        begin   \name
        mv      a1, a0
        li      a0, \ocall
        enter   98
        ret
        end     \name
        .endm

        leave   EAPP_RETURN, 99
        leave   SERVER_RETURN, 95

        also    EAPP_MMAP
        also    EAPP_UNMAP
        also    EAPP_SBRK
        also    EAPP_PRINT
        also    EAPP_PERSISTENCY_READ_SEC
        also    EAPP_PERSISTENCY_WRITE_SEC
        also    EAPP_RETURN_RELAY_PAGE
        call    EAPP_OCALL, 98

        also    EAPP_ACQUIRE_ENCLAVE
        call    acquire_enclave, 97
        also    EAPP_CALL_ENCLAVE
        call    call_enclave, 96
        also    EAPP_GET_REPORT
        call    get_report, 94
        also    EAPP_ASYN_ENCLAVE_CALL
        call    asyn_enclave_call, 93
        also    EAPP_SPLIT_MEM_REGION
        call    split_mem_region, 92
        also    EAPP_GET_CALLER_ID
        call    get_caller_id, 91
        also    EAPP_GET_ENCLAVE_ID
        call    get_enclave_id, 90
        also    eapp_yield
        call    EAPP_YIELD, 89
        also    EAPP_GET_KEY
        call    get_key, 88
        also    EAPP_SHM_ATTACH
        call    eapp_shm_attach, 84
        also    EAPP_SHM_STAT
        call    eapp_shm_stat, 83

        ocall1  sbrk, OCALL_SBRK
        ocall1  eapp_persistency_read_sec, OCALL_READ_SECT
        ocall1  eapp_persistency_write_sec, OCALL_WRITE_SECT
        ocall1  eapp_shm_detach, OCALL_SHM_DETACH
        ocall1  eapp_shm_destroy, OCALL_SHM_DESTROY

        /* Arguments move one register on. */
        .macro ocall3 name, ocall
        begin   \name
        mv      a3, a2
        mv      a2, a1
        mv      a1, a0
        li      a0, \ocall
        enter   98
        ret
        end     \name
        .endm

        ocall3  eapp_shm_get, OCALL_SHM_GET
        ocall3  eapp_getrandom, OCALL_GETRANDOM

        begin   eapp_unmap
        mv      a2, a1
        mv      a1, a0
        li      a0, OCALL_UNMAP
        enter   98
        ret
        end     eapp_unmap

        begin   eapp_return_relay_page
        li      a0, OCALL_RETURN_RELAY_PAGE
        enter   98
        ret
        end     eapp_return_relay_page

        .section .note.GNU-stack, "", @progbits
