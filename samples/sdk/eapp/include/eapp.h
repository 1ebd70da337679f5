/*
 * The enclave side of the SDK: how an enclave program starts, ends, calls servers and gets memory.
 *
 *   int EAPP_ENTRY main() {
 *     unsigned long *args;
 *     EAPP_RESERVE_REG;          // args[10] is what the monitor put into a0, args[11] a1, ...
 *     ...
 *     EAPP_RETURN(0);            // main must not return: there is nobody to return to
 *   }
 *
 * A normal enclave or an instance gets  args[10] = address of the shm or 0, [11] = its size, [12] = run counter,
 * [13] = address of the relay page or 0, [14] = its size.
 * A server gets, at every call,         args[10] = req_arg, [11] = address of the request area or 0, [12] = its size,
 * [13] = address of the server's shm or 0, [14] = its size.
 *
 *   0xffffffe000000000   page shared with the kernel, for text
 *   0x0000003900000000   shm with the host
 *   0x0000003800000000   relay page, upwards; the stack, downwards
 *   0x0000003000000000   eapp_mmap() areas, downwards
 *   0x0000001000000000   heap, upwards
 *   0x0000000000001000   the program
 */
#ifndef PENGLAI_EAPP_H
#define PENGLAI_EAPP_H

#include "attest.h"

#define RISCV_PAGE_SIZE 4096
#define ROUNDUP(size, align) (((((size)-1) / (align)) + 1) * (align))

/* main() follows the start-up code directly, at the beginning of the text. */
#define EAPP_ENTRY __attribute__((__section__(".text._start")))

/*
 * Lets `args` point at the registers the enclave was entered with: args[i] is register xi.
 * The start-up code stored them before the first instruction of main(), so this is right at any optimisation level.
 */
extern unsigned long *__eapp_entry_registers;
#define EAPP_RESERVE_REG (args = __eapp_entry_registers)

/** What goes along with a call of a server and comes back from it. Areas are whole pages got from eapp_mmap(). */
struct call_enclave_arg_t {
  unsigned long req_arg;
  unsigned long resp_val;
  unsigned long req_vaddr;
  unsigned long req_size;
  unsigned long resp_vaddr;
  unsigned long resp_size;
};

_Static_assert(sizeof(struct call_enclave_arg_t) == 48, "call_enclave_arg_t is 48 bytes");
_Static_assert(offsetof(struct call_enclave_arg_t, req_vaddr) == 16, "req_vaddr is at 16");
_Static_assert(offsetof(struct call_enclave_arg_t, resp_vaddr) == 32, "resp_vaddr is at 32");

/* ---- ending ---------------------------------------------------------------------------------------- */

/** Ends a normal enclave or an instance; the host finds `retval` in user_param.retval. Not for servers. */
void EAPP_RETURN(unsigned long retval) __attribute__((noreturn));

/** Ends one call of a server: the request area and a response area go to the caller. Only for servers. */
void SERVER_RETURN(struct call_enclave_arg_t *arg) __attribute__((noreturn));

/** Gives the relay pages to the host and leaves; returns when the host runs the enclave again. */
int eapp_return_relay_page();

/* ---- servers ---------------------------------------------------------------------------------------- */

/** The handle of the server of that name (at most 16 bytes), or -1UL. */
unsigned long acquire_enclave(char *name);

/** Calls a server and waits: 0, -1 (refused) or -2 (the server is busy). The answer is in *arg. */
unsigned long call_enclave(unsigned long handle, struct call_enclave_arg_t *arg);

/**
 * Gives the relay region [arg->req_vaddr, + arg->req_size) away, to the enclave of that name, which gets all regions that wait for it when
 * the host runs it with a relay id and size 0. The region must be one that this enclave owns, as a whole: see split_mem_region(). 0 or -1.
 */
unsigned long asyn_enclave_call(char *name, struct call_enclave_arg_t *arg);

/** Makes two of an owned relay region: up to `split_addr`, and the rest. The mapping stays as it is. 0 or -1. */
unsigned long split_mem_region(unsigned long mem_addr, unsigned long mem_size, unsigned long split_addr);

/** Always 0: the monitor that programs are written for has never told. */
unsigned long get_caller_id();
/** This enclave's number in the monitor, which is also a server's handle; not the host's eid. */
unsigned long get_enclave_id();

/** Gives up the rest of the time slice. */
void eapp_yield();

/* ---- identity ---------------------------------------------------------------------------------------- */

/** The report of a server, or of this enclave if name is 0. 0 or -1. */
int get_report(char *name, struct report_t *report, unsigned long nonce);

/** Derives `key_size` bytes of a key of the given key_type_t. 0 or -1. */
int get_key(int key_type, char *key, int key_size);

/* ---- memory ------------------------------------------------------------------------------------------ */

/**
 * At least `size` bytes of fresh pages; pass 0 as vaddr. 0 if there is no memory (after a warning is printed).
 * The monitor maps one page less than the next power of two, all of which move together when handed over.
 */
void *eapp_mmap(void *vaddr, unsigned long size);

/** Frees the whole area that contains these bytes. 0 or -1. */
int eapp_unmap(void *vaddr, unsigned long size);

/** Moves the end of the heap by whole pages. Returns the new end (not, as on other systems, the old one), or -1. */
void *sbrk(long size);

/** `size` random bytes; returns `size`, or -1 if the buffer is not writable. `flags` are ignored. */
long eapp_getrandom(void *buffer, unsigned long size, unsigned int flags);

/*
 * Memory that enclaves share with each other and with nobody else, found by a key that both know. A piece goes with its last user once
 * eapp_shm_destroy() was called or the enclave that made it is gone.
 */
struct eapp_shm_stat_t {
  unsigned long ref_count; /* enclaves that have it attached */
  unsigned long size;      /* bytes that are mapped: one page less than a power of two */
};

/** Makes a piece of whole pages and attaches it: its address, or 0 (the key is taken, the size is bad, no memory is left). */
void *eapp_shm_get(unsigned long key, unsigned long size, unsigned long flags);
/** Its address in this enclave, the same every time; 0 for an unknown key and after a destroy. */
void *eapp_shm_attach(unsigned long key);
/** 0, or -1 if this enclave has not attached it. */
int eapp_shm_detach(unsigned long key);
/** From now on nobody can attach it. 0 or -1. */
int eapp_shm_destroy(unsigned long key);
/** 0 or -1. */
int eapp_shm_stat(unsigned long key, struct eapp_shm_stat_t *stat);

/* One sector (a page) of the host's file, through the shm of a file-system server. 0 or -1. */
int eapp_persistency_read_sec(unsigned long sec);
int eapp_persistency_write_sec(unsigned long sec);

/* ---- the bare calls ------------------------------------------------------------------------------------ */

void *EAPP_MMAP(unsigned long ocall, void *vaddr, unsigned long size);
int EAPP_UNMAP(unsigned long ocall, void *vaddr, unsigned long size);
void *EAPP_SBRK(unsigned long ocall, long size);
int EAPP_PRINT(unsigned long ocall);
int EAPP_PERSISTENCY_READ_SEC(unsigned long ocall, unsigned long sec);
int EAPP_PERSISTENCY_WRITE_SEC(unsigned long ocall, unsigned long sec);
unsigned long EAPP_RETURN_RELAY_PAGE(unsigned long ocall);
unsigned long EAPP_OCALL(unsigned long ocall, unsigned long a1, unsigned long a2, unsigned long a3);
unsigned long EAPP_ACQUIRE_ENCLAVE(char *name);
unsigned long EAPP_CALL_ENCLAVE(unsigned long handle, struct call_enclave_arg_t *arg);
unsigned long EAPP_ASYN_ENCLAVE_CALL(char *name, struct call_enclave_arg_t *arg);
unsigned long EAPP_SPLIT_MEM_REGION(unsigned long mem_addr, unsigned long mem_size, unsigned long split_addr);
unsigned long EAPP_GET_CALLER_ID();
unsigned long EAPP_GET_ENCLAVE_ID();
int EAPP_YIELD();
void *EAPP_SHM_ATTACH(unsigned long key);
int EAPP_SHM_STAT(unsigned long key, struct eapp_shm_stat_t *stat);
int EAPP_GET_REPORT(char *name, struct report_t *report, unsigned long nonce);
int EAPP_GET_KEY(int key_type, char *key, int key_size);

#endif
