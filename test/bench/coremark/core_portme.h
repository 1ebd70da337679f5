/*
 * CoreMark (github.com/eembc/coremark, whose sources are not here) as a workload of the benchmark: its own main, with the seeds and the size
 * of a "2K performance run", once for each round. What it prints goes into the checksum; its time is taken outside.
 */
#ifndef CORE_PORTME_H
#define CORE_PORTME_H

#include <stddef.h>
#include <stdint.h>

typedef int16_t ee_s16;
typedef uint16_t ee_u16;
typedef int32_t ee_s32;
typedef uint8_t ee_u8;
typedef uint32_t ee_u32;
typedef uintptr_t ee_ptr_int;
typedef size_t ee_size_t;
typedef ee_u32 CORE_TICKS;

/* Rounds an address up to a multiple of four. */
#define align_mem(address) (void *)(((ee_ptr_int)(address) + 3) & ~(ee_ptr_int)3)

#define HAS_FLOAT 0
#define HAS_STDIO 0
#define HAS_PRINTF 0
#define SEED_METHOD SEED_VOLATILE
#define MEM_METHOD MEM_STATIC
#define MULTITHREAD 1
#define MAIN_HAS_NOARGC 1
#define MAIN_HAS_NORETURN 0
#define PERFORMANCE_RUN 1
#define COMPILER_VERSION "GCC " __VERSION__
#define COMPILER_FLAGS "-O2"
#define MEM_LOCATION "STATIC"

typedef struct CORE_PORTABLE_S {
  ee_u8 portable_id;
} core_portable;

extern ee_u32 default_num_contexts;
void portable_init(core_portable *port, int *argc, char *argv[]);
void portable_fini(core_portable *port);
int ee_printf(const char *format, ...);

#endif
