/** Hazards an enclave raises: its ecalls, its faults, what it prints. See hazards.ts for what the fields mean. */
import type { HazardText } from './hazards';

const of = <T extends string>(table: Record<T, HazardText>): Readonly<Record<T, HazardText>> => table;

const KILLED =
  'Observed: sbi_trap_error and a register dump on the console, the enclave is destroyed, RUN returns -1 EFAULT (EPERM for an instance), and its eid is gone.';
const FALLS_THROUGH = 'returns -1, and execution falls into the code behind the call';

export const ENCLAVE_HAZARDS = of({
  // ---- servers
  'acquire-unknown': {
    did: 'acquire_enclave or get_report with the name "{name}", which no living server has.',
    device: 'refused',
    observed: 'Observed: -1, and a line of the monitor. A name pointer that is not mapped gives -1 too.',
    remedy: 'The host creates the server (type SERVER_ENCLAVE, that name) before it runs the caller. Test the result.',
  },
  'call-unchecked-handle': {
    did: 'call_enclave with handle -1, the result of an acquire_enclave that failed.',
    device: 'hart-dead',
    observed: 'Observed: a NULL dereference in M-mode.',
    remedy: 'Test what acquire_enclave() returned: -1UL means that no server has this name.',
  },
  'call-not-server': {
    did: 'call_enclave with handle {handle}, which is no server.',
    device: 'refused',
    observed: 'Observed: -1 (call_enclave: enclave can not be accessed).',
    remedy: 'Only handles from acquire_enclave() can be called.',
  },
  'call-argument': {
    did: '{call}: {problem}.',
    device: 'refused',
    observed: 'Observed: -1, the server is unharmed.',
    remedy:
      'struct call_enclave_arg_t must lie in mapped memory; req_vaddr is 0, the relay page, or whole pages from eapp_mmap (not of the stack, heap or .bss), req_size a multiple of 4096.',
  },
  'server-busy': {
    did: 'call_enclave of server {handle} while it works for another enclave.',
    device: 'refused',
    observed: 'Observed: -2 (ESERVERBUSY) at once; callers had to repeat the call up to 230,000 times.',
    remedy: 'Call again while the result is -2, with other work in between, or use one server per caller.',
  },
  'server-fault': {
    did: 'Server {server} faulted while it worked for enclave {eid}: the caller is killed.',
    device: 'killed',
    observed:
      'Observed: the caller’s RUN returns -1 EFAULT, the server is kept and can be called again. In its source servers in the middle of a chain stay busy for ever. (Here they are idle again.)',
    remedy: 'Mend the server; a caller cannot protect itself.',
  },
  'exit-in-server': {
    did: `EAPP_RETURN in a server: it ${FALLS_THROUGH}.`,
    device: 'oops',
    observed:
      'In its source: -1; in the SDK’s library the next instructions are those of EAPP_YIELD, which the driver does not know.',
    remedy: 'End each call of a server with SERVER_RETURN(arg).',
  },
  'server-return-in-normal': {
    did: `SERVER_RETURN in an enclave that nobody called: it ${FALLS_THROUGH}.`,
    device: 'wrong',
    observed: 'Observed: enclave_return: enclave0 can not return!, then the code behind it runs, and RUN returned 0.',
    remedy: 'A normal enclave ends with EAPP_RETURN(value). Was a server’s program created as a NORMAL enclave?',
  },
  'return-argument': {
    did: 'SERVER_RETURN with {problem}.',
    device: 'wrong',
    observed:
      'Observed: enclave return: the ret argument is in-consistent with caller argument; the caller’s req_vaddr becomes 0, and its pages stay with the server.',
    remedy: 'Give back req_vaddr and req_size as they came in a1 and a2, in pages that still are mapped.',
  },
  // ---- ecalls
  'ecall-unknown': {
    did: 'ecall {number}, which the monitor does not know.',
    device: 'killed',
    observed: 'Observed: unsupported ecall number from enclave; destroyed, RUN returns -1.',
    remedy: 'Use the SDK’s library.',
  },
  'ecall-linux': {
    did: 'Linux system call {number}: enclaves have none.',
    device: 'killed',
    observed: 'Observed: illegal user ecall; destroyed, RUN returns -1. (Only ioctl, 29, returns 0.)',
    remedy:
      'Link against the SDK’s C library. abort, exit, clock_gettime, realloc of large blocks and files opened for appending make system calls there too.',
  },
  'ocall-unknown': {
    did: 'ocall {number}, which does not exist.',
    device: 'refused',
    observed: 'Observed: -1.',
    remedy: 'Use the SDK’s library.',
  },
  yield: {
    did: 'EAPP_YIELD.',
    device: 'oops',
    observed:
      'Observed: the driver does not know ENCLAVE_YIELD, takes it for the end of the enclave and frees memory that is still protected. (Here it gives way and goes on.)',
    remedy: 'Do not call it: the host’s timer interrupts enclaves anyway.',
  },
  'mmap-too-large': {
    did: 'eapp_mmap or sbrk of {size} bytes, more than one block of the kernel has.',
    device: 'oops',
    observed: 'Observed for 512 MiB: a warning of the page allocator, OCALL_MMAP is failed, then an oops.',
    remedy: 'Ask for less than 512 MiB at a time (the first page of each block is the monitor’s).',
  },
  'mmap-no-memory': {
    did: 'eapp_mmap or sbrk of {size} bytes, and the host has no such block left.',
    device: 'oops',
    observed: 'Observed: OCALL_MMAP is failed, and the driver ends the enclave while the monitor waits for its answer.',
    remedy: 'Unmap what is not needed; keep the total below the machine’s memory.',
  },
  'mmap-address': {
    did: 'eapp_mmap with address {address}: not page aligned, or in use.',
    device: 'refused',
    observed: 'Observed: 0. The SDK’s eapp_mmap() repeats the call for ever and prints a warning each time.',
    remedy: 'Pass 0 as the address.',
  },
  'mmap-size': {
    did: 'eapp_mmap or EAPP_MMAP of {size} bytes, which is not a number of whole pages.',
    device: 'wrong',
    observed:
      'In its source: the size is rounded down, so the end of the buffer is not mapped (5000 bytes give one page), and less than a page gives nothing. (Here it is rounded up.)',
    remedy: 'Round up to a multiple of 4096.',
  },
  'unmap-unknown': {
    did: 'eapp_unmap of {size} bytes at {address}, which lie in no area of eapp_mmap.',
    device: 'refused',
    observed: 'Observed: -1.',
    remedy: 'Unmap what eapp_mmap() returned; the whole area goes, whatever part is named.',
  },
  'sbrk-size': {
    did: 'sbrk({size}): not a multiple of 4096.',
    device: 'refused',
    observed: 'Observed: -1.',
    remedy: 'Move the heap by whole pages. The result is the new top, not the old one.',
  },
  'key-type': {
    did: 'get_key with type {type}, which has no key.',
    device: 'wrong',
    observed: 'Observed: key type is not supported, yet the call returns 0 and the buffer stays as it was.',
    remedy: 'Use ENCLAVE_KEY (0) or STORAGE_KEY (1).',
  },
  'key-size': {
    did: 'get_key with size {size}.',
    device: 'wrong',
    observed: 'In its source: nothing is written for sizes below 1 or above 8160, and the call returns 0.',
    remedy: 'Ask for 1 to 8160 bytes.',
  },
  // ---- printing
  'print-format': {
    did: 'The printed text has a % in it: {text}',
    device: 'wrong',
    observed:
      'Observed: the kernel takes the text as a printk format: a %x in it printed "9479240". And the SDK’s eapp_print does not know %%: it swallows an argument, and a later %s crashes. (Here text is printed as it is.)',
    remedy: 'Print no per cent signs on a device.',
  },
  'print-truncated': {
    did: 'The printed text fills the buffer: what was beyond 511 characters is lost.',
    device: 'wrong',
    observed: 'Observed: at most 511 characters per call.',
    remedy: 'Print in pieces; each piece is a line of the kernel’s log.',
  },
  // ---- faults
  'fault-null': {
    did: 'A {access} at {address}: a null pointer.',
    device: 'killed',
    observed: KILLED,
    remedy: 'The fault’s frame shows the pointer. eapp_mmap() and acquire_enclave() can fail: test what they return.',
  },
  'fault-text': {
    did: 'A store to {address}, which is the program’s own text or read-only data.',
    device: 'killed',
    observed: KILLED,
    remedy: 'Text is mapped read and execute only. Is a string constant written to?',
  },
  'fault-stack': {
    did: 'A {access} at {address}, below the stack: it is full.',
    device: 'killed',
    observed: 'Observed: no guard, no growth; killed with a store fault just below the stack. RUN returns -1 EFAULT.',
    remedy:
      'Ask for more stack in enclave_args.stack_size (default 64 KiB, at most 64 MiB; instances of a shadow always have 64 KiB), or put large arrays elsewhere.',
  },
  'fault-errno': {
    did: 'A {access} at {address}: the C library’s errno, which has no memory because tp is 0 in an enclave.',
    device: 'killed',
    observed:
      'In the SDK’s C library: errno lies at tp - sizeof(struct pthread); any function that fails with an errno is killed.',
    remedy: 'Avoid calls that can set errno: open() of a missing file, malloc() of too much, fopen() with a bad mode.',
  },
  'fault-kernel': {
    did: 'A {access} at {address}, an address of the kernel.',
    device: 'killed',
    observed: KILLED,
    remedy: 'An enclave reaches its own memory and what was shared with it, nothing else.',
  },
  'fault-address': {
    did: 'A {access} at {address}, where nothing of the enclave is mapped.',
    device: 'killed',
    observed: KILLED,
    remedy:
      'The fault’s frame shows the pointer. Memory that was handed to a server, returned or unmapped is not there any more.',
  },
  'fault-jump': {
    did: 'A jump to {address}, which is not code.',
    device: 'killed',
    observed: KILLED,
    remedy:
      'A return from main goes to 0: end with EAPP_RETURN or SERVER_RETURN. Else a function pointer or a return address on the stack was overwritten.',
  },
  'fault-ebreak': {
    did: 'ebreak: there is no debugger inside an enclave on a device.',
    device: 'killed',
    observed: KILLED,
    remedy: 'Remove it (abort and __builtin_trap may compile to it); breakpoints of this debugger need none.',
  },
  'fault-wfi': {
    did: 'wfi in an enclave.',
    device: 'killed',
    observed: KILLED,
    remedy: 'An enclave has no way to sleep: return to the host, which may sleep.',
  },
  'fault-fp': {
    did: 'A floating-point instruction ({instruction}): the FPU is off in enclaves.',
    device: 'killed',
    observed: 'Observed: an illegal instruction, because mstatus.FS is 0. RUN returns -1 EFAULT.',
    remedy: 'Compile with -march=rv64imac -mabi=lp64 (soft float), and link libraries built that way.',
  },
  'fault-csr': {
    did: 'An instruction ({instruction}) that uses CSR {csr}, which belongs to the kernel or the monitor.',
    device: 'killed',
    observed: KILLED,
    remedy: 'An enclave runs in U-mode; cycle, time and instret are all the CSRs it has, to read.',
  },
  'csr-read-satp': {
    did: 'An instruction ({instruction}) that reads satp, the root of the page tables.',
    device: 'wrong',
    observed:
      'Observed: it SUCCEEDS in U-mode, because the emulation of trapped satp accesses does not look at the privilege: 0x80000000000xxxxx leaks. (Here it is an illegal instruction.)',
    remedy: 'Do not read it; and do not rely on page tables being secret on a device.',
  },
  'fault-illegal': {
    did: 'An illegal instruction ({instruction}).',
    device: 'killed',
    observed: KILLED,
    remedy: 'Compile for rv64imac. Or the program jumped into data, or was not a whole file when it was created.',
  },
  'fault-other': {
    did: 'A trap inside the enclave: {what}.',
    device: 'killed',
    observed: KILLED,
    remedy: 'The fault’s frame shows the instruction.',
  },
});
