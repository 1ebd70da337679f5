/** Hazards a host program raises: ioctls of the device. See hazards.ts for what the fields mean. */
import type { HazardText } from './hazards';

const of = <T extends string>(table: Record<T, HazardText>): Readonly<Record<T, HazardText>> => table;

const LOCK =
  'Observed: -1, and the next Penglai call of anybody hangs the machine, because the refusing path of stop_enclave keeps the lock of the metadata.';
const FREED =
  'Observed: the monitor refuses, the driver takes that for the end of the enclave and frees memory the monitor still protects; the kernel faults in enclave_mem_destroy, holding the lock of create.';

export const HOST_HAZARDS = of({
  // ---- run
  'run-server': {
    did: 'RUN of server {eid}: a server is not run by a host.',
    device: 'oops',
    observed: FREED,
    remedy: 'Create the server and leave it; it runs when an enclave calls it with call_enclave.',
  },
  'run-again': {
    did: 'RUN of enclave {eid}, which has been run already (it is {state}).',
    device: 'oops',
    observed: `${FREED} Then the machine hangs.`,
    remedy:
      'Run an enclave once, from one thread; to run the same program again create another one, or fork it from a shadow enclave.',
  },
  'run-without-rerun': {
    did: 'RUN of enclave {eid}, which gave its relay pages back and waits, with rerun_reason 0.',
    device: 'oops',
    observed: FREED,
    remedy:
      'After PLenclave_run() returned 1 call PLenclave_set_rerun_arg(enclave, RETURN_USER_RELAY_PAGE) before the next PLenclave_run().',
  },
  'rerun-reason': {
    did: 'RUN of enclave {eid} with rerun_reason {reason}, which means nothing.',
    device: 'oops',
    observed: FREED,
    remedy: 'The only reason is RETURN_USER_RELAY_PAGE (1), after PLenclave_run() returned 1.',
  },
  'rerun-not-returned': {
    did: 'RUN of {eid} with rerun_reason 1, but it has not given its relay pages back (it is {state}).',
    device: 'oops',
    observed: FREED,
    remedy:
      'Set the rerun argument only after PLenclave_run() returned 1, and clear it when the handle is used for another enclave.',
  },
  'run-instance-handle': {
    did: 'RUN with eid {eid}, the number of an instance: RUN of a shadow enclave writes it over the shadow’s number.',
    device: 'refused',
    observed:
      'Observed: -1 EFAULT (run_enclave: enclave can not be accessed); the machine goes on. In its source the second RUN of a finished instance reads freed memory.',
    remedy:
      'Keep the shadow’s eid and put it back (user_param.eid, isShadow = 0) before each PLenclave_run(), or use one struct PLenclave per instance.',
    notice: true,
  },
  'fork-too-large': {
    did: 'RUN of shadow {eid}: an instance needs {pages} pages for writable data and page tables.',
    device: 'oops',
    observed:
      'Observed: an instance has 2 MiB for its copies of writable pages; with more copy_page_table fails, RUN returns -1 EPERM, and the 2 MiB go back to the kernel still protected: a later oops.',
    remedy:
      'Keep .data, .bss and other writable pages of a shadow enclave below 1.8 MiB; get large buffers with eapp_mmap after the fork.',
  },
  // ---- relay pages and shared memory at create and run
  'relay-none-transferred': {
    did: 'RUN of enclave "{name}" with a schrodinger_id and size 0, that is with transferred relay pages, but none were transferred to this name.',
    device: 'oops',
    observed: `${FREED} (map_relay_page: get relay page by name is failed.)`,
    remedy:
      'Pass size 0 only when an enclave has sent pages to this name with asyn_enclave_call; for a page of your own pass its size.',
  },
  'relay-page-owned': {
    did: 'RUN of enclave "{name}" with relay pages that another enclave owns.',
    device: 'hart-dead',
    observed: 'Observed: the relay page is owned by another enclave, then a store to address -1 in M-mode.',
    remedy:
      'Give every running enclave relay pages of its own (PLenclave_schrodinger_get), or wait until the other one has returned them.',
  },
  'relay-name-taken': {
    did: 'RUN of an enclave named "{name}" with relay pages while another of this name is alive.',
    device: 'oops',
    observed: `${FREED} (check enclave name: enclave name is already existed.)`,
    remedy:
      'Give every enclave that gets relay pages a name of its own in enclave_args.name (15 characters and a NUL).',
  },
  'relay-ignored': {
    did: 'RUN of enclave {eid} with schrodinger_id {id}, offset {offset}, size {size}, which is not a page-aligned part of existing relay memory.',
    device: 'wrong',
    observed: 'Observed: the enclave runs without relay pages (args[13] and args[14] are 0), and no call fails.',
    remedy:
      'Use the id PLenclave_schrodinger_get() returned; offset and size must be multiples of 4096 inside it. In the enclave test args[13].',
  },
  'shm-ignored': {
    did: '{call} of enclave {eid} with shmid {id}, offset {offset}, size {size}, which is not a page-aligned part of existing shared memory.',
    device: 'wrong',
    observed: 'Observed: the enclave is made without shared memory (args[10] and args[11] are 0), and no call fails.',
    remedy:
      'Use the id PLenclave_shmget() returned; offset and size must be multiples of 4096 inside it. In the enclave test args[10].',
  },
  // ---- attest
  'attest-server': {
    did: 'ATTEST of server {eid} by the host.',
    device: 'refused',
    observed: 'Observed: -1 EPERM (attest_enclave: enclave is not attestable), and the report stays zero.',
    remedy: 'Let an enclave that calls the server ask for get_report(name, …).',
  },
  'attest-running': {
    did: 'ATTEST of enclave {eid} while it is {state}.',
    device: 'refused',
    observed: 'Observed: -1 EPERM (attest_enclave: enclave is not attestable).',
    remedy: 'Attest before the first PLenclave_run(), or while it is stopped.',
  },
  'attest-stopped': {
    did: 'ATTEST of enclave {eid} while it is stopped and a thread is inside RUN of it.',
    device: 'oops',
    observed:
      'Observed on 4 harts (2 of 2): the RUN thread polls with RESUME meanwhile, finds it ATTESTING, and the driver frees it. On one hart it worked 10 of 10 times.',
    remedy: 'Attest before the first PLenclave_run().',
  },
  // ---- stop and resume
  'stop-fresh': {
    did: 'STOP of enclave {eid}, which has not been run.',
    device: 'hang',
    observed: LOCK,
    remedy: 'Stop an enclave only while a thread is inside PLenclave_run() of it.',
  },
  'stop-server': {
    did: 'STOP of server {eid}.',
    device: 'hang',
    observed: LOCK,
    remedy: 'Stop the enclave that called the server; here that stops the server too.',
  },
  'stop-shadow': {
    did: 'STOP of shadow enclave {eid}, which does not run itself.',
    device: 'hang',
    observed: `${LOCK} Worse: if a normal enclave has the same number inside the monitor, that one is stopped, and the call returns 0.`,
    remedy: 'Stop an instance. Its number is in user_param.eid after PLenclave_run().',
  },
  'stop-returned': {
    did: 'STOP of enclave {eid}, which gave its relay pages back and is not running.',
    device: 'hang',
    observed: LOCK,
    remedy: 'There is nothing to stop until the next PLenclave_run(); destroy it if it is not wanted any more.',
  },
  'stop-in-ocall': {
    did: 'STOP of enclave {eid} at a moment when it waits for the kernel (it prints, or asks for memory).',
    device: 'hang',
    observed: `${LOCK} (The enclave is OCALLING then. Here the stop waits until the call is over.)`,
    remedy: 'It is a race: stop enclaves only in phases in which they make no ocalls, such as a long computation.',
  },
  'stop-in-server': {
    did: 'STOP of enclave {eid} while server {server} works for it.',
    device: 'wrong',
    observed:
      'Observed: 0, but nothing is stopped: the server finishes, and the caller goes on to its end. (Here the whole chain stops.)',
    remedy: 'Do not rely on a stop of an enclave that calls servers; let it reach a point where it does not.',
  },
  'resume-fresh': {
    did: 'RESUME of enclave {eid}, which has not been run.',
    device: 'oops',
    observed: FREED,
    remedy: 'Start it with PLenclave_run(); PLenclave_resume() is for an enclave that PLenclave_stop() stopped.',
  },
  'resume-running': {
    did: 'RESUME of enclave {eid}, which is not stopped (it is {state}).',
    device: 'oops',
    observed: `${FREED} Then the machine hangs.`,
    remedy: 'Call PLenclave_resume() once for each PLenclave_stop() that returned 0.',
  },
  'resume-server': {
    did: 'RESUME of server {eid}.',
    device: 'oops',
    observed: FREED,
    remedy: 'Resume the enclave that called it.',
  },
  'resume-shadow': {
    did: 'RESUME of shadow enclave {eid}, which does not run itself.',
    device: 'oops',
    observed: `${FREED} If a normal enclave has the same number inside the monitor, that one is resumed instead.`,
    remedy: 'Resume an instance. Its number is in user_param.eid after PLenclave_run().',
  },
  // ---- destroy and what is gone
  'gone-handle': {
    did: '{call} with eid {eid}, which is no enclave (any more).',
    device: 'refused',
    observed: 'Observed: -1 EINVAL (get real enclave: enclave is not exist), for every call.',
    remedy: 'An enclave is gone when PLenclave_run() has returned 0 or -1: do not destroy it then.',
  },
  'destroy-running': {
    did: 'DESTROY of enclave {eid} while a thread is inside RUN of it: that RUN returns 0, as after a normal end, without a return value.',
    device: 'wrong',
    observed: 'Observed: run returns 0, and user_param.retval is 0 or whatever was in the memory. (Here it is 0.)',
    remedy:
      'Whoever destroys a running enclave has to tell the thread inside PLenclave_run(), which must not read retval.',
    notice: true,
  },
  'destroy-in-server': {
    did: 'DESTROY of enclave {eid} while server {server} works for it.',
    device: 'hart-dead',
    observed:
      'Observed: 0, then a load fault in M-mode when the server returns to a caller that is gone. (Here the chain is ended and the server is idle again.)',
    remedy: 'Let the call finish before the caller is destroyed.',
  },
  'destroy-working-server': {
    did: 'DESTROY of server {eid} while it works for an enclave.',
    device: 'oops',
    observed:
      'Observed: the monitor refuses but returns 0, the driver frees the server’s memory, and the kernel faults; the call in flight still completes.',
    remedy: 'Destroy the callers first, or wait for them.',
  },
  'destroy-forked-shadow': {
    did: 'DESTROY of shadow {eid} while instances of it are alive.',
    device: 'wrong',
    observed:
      'In its source: the template’s memory is freed though living instances still map its read-only pages, which then hold something else.',
    remedy: 'Destroy, or wait for, all instances first.',
  },
  'destroy-instance-handle': {
    did: '{call} through a handle that RUN of a shadow enclave has turned into an instance’s (eid {eid}, isShadow 1).',
    device: 'oops',
    observed:
      'Observed for DESTROY: a NULL dereference in the driver, which uses an uninitialised pointer for isShadow = 1; the lock is free, so the machine goes on.',
    remedy: 'Put the shadow’s eid back and set isShadow to 0 before PLenclave_destroy() or PLenclave_attest().',
  },
  'foreign-enclave': {
    did: '{call} of enclave {eid}, which belongs to another process.',
    device: 'oops',
    observed:
      'Observed for DESTROY of a running enclave on 4 harts: ipi_destroy_enclave: this situation should never happen, an oops, then a hang. What is not running anybody may destroy.',
    remedy: 'Only the process that runs an enclave controls it.',
  },
  'owner-exited': {
    did: 'The process ended and left {type} enclave {eid} ("{name}") behind.',
    device: 'leak',
    observed:
      'Observed: enclaves outlive the process that created them, and nobody has their handle any more. (Here they are destroyed.)',
    remedy:
      'Call PLenclave_destroy() before PLenclave_destruct(), which closes the handle: destroying after it fails with EBADF.',
    notice: true,
  },
  'kill-in-run': {
    did: 'The process was killed while a thread was inside RUN of enclave {eid}.',
    device: 'wrong',
    observed:
      'Observed: SIGTERM and SIGKILL do nothing while the enclave runs; only DESTROY ends it. (Here the enclave is destroyed and the process ends.)',
    remedy: 'On a device destroy a looping enclave from another thread before the process is killed.',
  },
  'runs-exhausted': {
    did: '{count} enclaves have been run since boot.',
    device: 'panic',
    observed:
      'Observed, 4 of 4 (2 GiB): after about 230 runs the area of guarded page tables is used up: Kernel panic: System is deadlocked on memory, with gigabytes free.',
    remedy: 'Plan for a reboot, or do more work per run: keep servers alive and call them.',
    notice: true,
  },
  // ---- create
  'create-type': {
    did: 'CREATE with type {type}, which is none. (A name of more than 16 characters overwrites the type: strcpy in the SDK’s own demos.)',
    device: 'hart-dead',
    observed:
      'Observed for types 7 and 55: the driver makes no kbuffer, the monitor maps and hashes physical address 0x2080200000: a load fault in M-mode.',
    remedy:
      'Names have at most 15 characters and a NUL: use strncpy(params.name, name, NAME_LEN); call enclave_args_init() first.',
  },
  'server-name-taken': {
    did: 'CREATE of a server named "{name}" while one is alive.',
    device: 'refused',
    observed: 'Observed: -1 EFAULT (server already existed); the machine goes on.',
    remedy: 'Choose another name, or destroy the other server first.',
  },
  'stack-none': {
    did: 'CREATE with stack_size {size}: the enclave has no stack.',
    device: 'killed',
    observed: 'Observed: create returns 0, and the first push faults.',
    remedy: 'enclave_args_init() sets 64 KiB; up to 64 MiB are possible.',
  },
  'memory-bounds': {
    did: 'CREATE with {what} of {size} bytes.',
    device: 'refused',
    observed:
      'Observed: eapp memory is out of bound, -1 EPERM. Limits are 64 MiB of stack and 512 MiB of ELF segments.',
    remedy: 'Make it smaller; get large buffers with eapp_mmap.',
  },
  'elf-bad': {
    did: 'CREATE from bytes that are no enclave: {problem}.',
    device: 'refused',
    observed:
      'Observed: -1 EFAULT for zeros, text, random bytes, x86 programs and cut headers. There is no check of magic number or machine, so a cut body is accepted and dies at run.',
    remedy: 'Pass the ELF file the SDK’s linker script made, whole: elf_ptr and elf_size as elf_args_init() sets them.',
  },
  'elf-alignment': {
    did: 'CREATE from an ELF file with a segment at {address}, which is not page aligned.',
    device: 'wrong',
    observed:
      'In its source: the driver copies a segment’s bytes to the start of their page, so all of its content is shifted, and what lies in a last page of zeros may not be mapped.',
    remedy: 'Link with the SDK’s app.lds, which aligns every segment to 4096.',
  },
  // ---- requests and regions
  'bad-ioctl': {
    did: 'ioctl {command} on the enclave device: {problem}.',
    device: 'refused',
    observed: 'Observed: -1 EFAULT (not ENOTTY) and a line in the kernel’s log.',
    remedy: 'Use the SDK’s library, or the request numbers and structures of its param.h.',
  },
  'region-size': {
    did: '{call} with size {size}, which is not a number of whole pages.',
    device: 'refused',
    observed: 'Observed: -1 EPERM.',
    remedy: 'Round up to a multiple of 4096.',
  },
  'region-unknown': {
    did: '{call} with id {id}: {problem}.',
    device: 'refused',
    observed: 'Observed: -1 EPERM.',
    remedy:
      'Use the id PLenclave_shmget() or PLenclave_schrodinger_get() returned; attach relay memory once at a time, detach what was attached.',
  },
  'region-removed-in-use': {
    did: '{call} of id {id} while it is attached.',
    device: 'oops',
    observed:
      'Observed for shared memory: 0, the memory is freed and the id stays; SHMDT then fails, and the next SHMCTL oopses. (Here it is refused.)',
    remedy: 'Detach (PLenclave_shmdt) before PLenclave_shmctl.',
  },
});
