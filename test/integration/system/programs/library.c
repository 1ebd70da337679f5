/* What the enclave library's string functions answer, one line each. */
#include "assert.h"
#include "eapp.h"
#include "inttypes.h"
#include "print.h"
#include "relay_page.h"
#include "string.h"

static void shows(const char *what, const char *text) { eapp_print("%s %s\n", what, text ? text : "none"); }

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  char text[32] = "ab";
  strncat(text, "cdef", 2);
  shows("strncat", text);
  shows("strncat", strncat(text, "e", 9));
  shows("strstr", strstr(text, "cd"));
  shows("strstr", strstr(text, "ce"));
  shows("strstr", strstr(text, ""));
  eapp_print("strspn %d %d\n", (int)strspn(text, "cba"), (int)strspn(text, ""));
  eapp_print("strcspn %d %d\n", (int)strcspn(text, "xd"), (int)strcspn(text, "x"));
  bcopy(text, text + 1, 4);
  shows("bcopy", text);
  eapp_print("bcmp %d\n", bcmp("ab", "ab", 2) == 0 && bcmp("ab", "ac", 2) != 0);
  bzero(text + 2, 3);
  shows("bzero", text);
  eapp_print("%" PRIu32 " %" PRId64 " %" PRIx64 "\n", UINT32_MAX, INT64_MIN, UINT64_MAX);
  assert(text[0] == 'a');
  assert(args[14] == 1);
  eapp_print("not reached\n");
  EAPP_RETURN(0);
}
