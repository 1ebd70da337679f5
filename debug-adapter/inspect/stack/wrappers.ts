/**
 * Functions of the Penglai SDK that do nothing but carry a call across the boundary of a world: the assembly stubs `EAPP_*`,
 * their C faces in the enclave library, and the host library's faces of RUN. A step passes through them.
 */
const NAMES = new Set([
  ...['call_enclave', 'asyn_enclave_call', 'SERVER_RETURN', 'eapp_return_relay_page'],
  ...['PLenclave_run', 'PLenclave_ioctl', 'ioctl', '__ioctl'],
]);

export function isWrapper(name: string): boolean {
  return NAMES.has(name) || name.startsWith('EAPP_');
}
