/*
 * assert() as in the C library. There is nobody to abort to in an enclave: a failed assertion prints itself and executes a
 * trap instruction, so that the monitor ends the enclave and a debugger stops at the line.
 */
#include "print.h"

#undef assert
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition)                                                                                              \
  ((condition) ? (void)0                                                                                               \
               : (eapp_print("%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition), __builtin_trap()))
#endif

#ifndef PENGLAI_EAPP_ASSERT_H
#define PENGLAI_EAPP_ASSERT_H
#if !defined(__cplusplus) && !defined(static_assert)
#define static_assert _Static_assert
#endif
#endif
