/*
 * An enclave that asks for every kind of report and key and prints what comes back; the test sees the reports themselves as the
 * monitor makes them.
 */
#include "eapp.h"
#include "print.h"

#define SERVER "attested-server"

static struct report_t reports[4];
static char keys[3][48];
static volatile int written;

static int same(const void *a, const void *b, int size) {
  for (int i = 0; i < size; i++)
    if (((const char *)a)[i] != ((const char *)b)[i])
      return 0;
  return 1;
}

int EAPP_ENTRY main() {
  int first = get_report(SERVER, &reports[0], 5);
  int again = get_report(SERVER, &reports[1], 5);
  eapp_print("server: %d %d same %d\n", first, again, same(&reports[0], &reports[1], sizeof(reports[0])));
  eapp_print("unknown: %d\n", get_report("nobody", &reports[2], 5));
  eapp_print("bad pointer: %d\n", get_report(SERVER, (struct report_t *)0x1000000, 5));

  int before = get_report(0, &reports[2], 9);
  written = 1;
  int after = get_report(0, &reports[3], 9);
  eapp_print("self: %d %d same %d\n", before, after,
             same(reports[2].enclave.hash, reports[3].enclave.hash, HASH_SIZE));

  int kinds[3] = {ENCLAVE_KEY, STORAGE_KEY, ATTEST_KEY};
  for (int i = 0; i < 3; i++)
    eapp_print("key %d: %d\n", i, get_key(kinds[i], keys[i], sizeof(keys[i])));
  eapp_print("keys same %d, third untouched %d\n", same(keys[0], keys[1], sizeof(keys[0])), keys[2][0] == 0);
  eapp_print("key of 0 bytes: %d, of 8161: %d\n", get_key(ENCLAVE_KEY, keys[2], 0), get_key(ENCLAVE_KEY, keys[2], 8161));
  eapp_print("key:");
  for (int i = 0; i < 48; i += 4)
    eapp_print(" %x", *(unsigned int *)&keys[0][i]);
  eapp_print("\n");
  EAPP_RETURN(7);
}
