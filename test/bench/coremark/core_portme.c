// What CoreMark asks of a platform (core_portme.h), and its run as a workload.
#include "coremark.h"
#include "../workloads/workload.h"
#include <stdarg.h>

/** Iterations of a round. */
#define ITERATIONS 100

ee_u32 default_num_contexts = 1;
// The seeds of a performance run, the iterations, and that all three algorithms run.
volatile ee_s32 seed1_volatile = 0, seed2_volatile = 0, seed3_volatile = 0x66;
volatile ee_s32 seed4_volatile = ITERATIONS, seed5_volatile = 7;

void portable_init(core_portable *port, int *argc, char *argv[]) {
  (void)argc, (void)argv;
  port->portable_id = 1;
}
void portable_fini(core_portable *port) { port->portable_id = 0; }

// CoreMark calls a run shorter than ten seconds an error. Whoever runs the rounds takes the time of all of them.
void start_time(void) {}
void stop_time(void) {}
CORE_TICKS get_time(void) { return 10; }
secs_ret time_in_secs(CORE_TICKS ticks) { return ticks; }

static u64 hash;
static int validated;

static void take(u64 value) { hash = mixed(hash, value); }

static int begins(const char *text, const char *with) {
  while (*with)
    if (*text++ != *with++) return 0;
  return 1;
}

/** Prints nothing: the text and its values are hashed. */
int ee_printf(const char *format, ...) {
  if (begins(format, "Correct operation validated")) validated = 1;
  va_list values;
  va_start(values, format);
  for (const char *at = format; *at; at++) {
    take((u8)*at);
    if (*at != '%') continue;
    while (at[1] >= '0' && at[1] <= '9') at++;
    if (*++at == 's')
      for (const char *text = va_arg(values, const char *); *text; text++) take((u8)*text);
    else
      take(*at == 'l' ? va_arg(values, u64) : va_arg(values, u32));
  }
  va_end(values);
  return 0;
}

int coremark_main(void);

/** 0 when CoreMark did not find its own results right. */
u64 workload(void) {
  hash = 0xcbf29ce484222325;
  validated = 0;
  coremark_main();
  return validated ? hash : 0;
}
