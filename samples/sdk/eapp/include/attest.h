/* The attestation report and key kinds, as the monitor fills them (the host's param.h has the same layout). */
#ifndef PENGLAI_EAPP_ATTEST_H
#define PENGLAI_EAPP_ATTEST_H

#include <stddef.h>

#define PRIVATE_KEY_SIZE 32
#define PUBLIC_KEY_SIZE 64
#define HASH_SIZE 32
#define SIGNATURE_SIZE 64

struct sm_report_t {
  unsigned char hash[HASH_SIZE];
  unsigned char signature[SIGNATURE_SIZE];
  unsigned char sm_pub_key[PUBLIC_KEY_SIZE];
};

struct enclave_report_t {
  unsigned char hash[HASH_SIZE];
  unsigned char signature[SIGNATURE_SIZE];
  unsigned long nonce;
};

struct report_t {
  struct sm_report_t sm;
  struct enclave_report_t enclave;
  unsigned char dev_pub_key[PUBLIC_KEY_SIZE];
};

_Static_assert(sizeof(struct report_t) == 328, "report_t is 328 bytes");
_Static_assert(offsetof(struct report_t, enclave) == 160, "the enclave's part is at 160");
_Static_assert(offsetof(struct report_t, enclave.nonce) == 256, "its nonce is at 256");
_Static_assert(offsetof(struct report_t, dev_pub_key) == 264, "the device's key is at 264");

enum key_type_t {
  ENCLAVE_KEY = 0,
  STORAGE_KEY = 1,
  ATTEST_KEY = 2,
};

#endif
