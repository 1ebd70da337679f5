/* Services that the monitor forwards to the untrusted kernel, and the page through which text leaves. */
#ifndef PENGLAI_EAPP_OCALL_H
#define PENGLAI_EAPP_OCALL_H

#define OCALL_MMAP 1
#define OCALL_UNMAP 2
#define OCALL_SYS_WRITE 3
#define OCALL_SBRK 4
#define OCALL_READ_SECT 5
#define OCALL_WRITE_SECT 6
#define OCALL_RETURN_RELAY_PAGE 7
#define OCALL_GETRANDOM 8
#define OCALL_SHM_GET 9
#define OCALL_SHM_DETACH 10
#define OCALL_SHM_DESTROY 11

#define DEFAULT_HEAP_ADDR 0x0000001000000000

/* One page shared with the kernel, of which a message uses the first 512 bytes, NUL included. */
#define ENCLAVE_DEFAULT_KBUFFER 0xffffffe000000000
#define ENCLAVE_DEFAULT_KBUFFER_SIZE 0x1000
#define ENCLAVE_KBUFFER_MESSAGE 512

#endif
