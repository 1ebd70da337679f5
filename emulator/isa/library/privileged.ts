// Names of privileged state that rows test (privileged manual, "Privilege Levels", "Machine Status Registers", "mcause").

export const PRIVILEGED = `
// Privilege levels.
const USER = 0;
const SUPERVISOR = 1;
const MACHINE = 3;

// Bits of mstatus: TVM traps sfence.vma and satp, TW traps wfi, TSR traps sret.
const TVM = 1 << 20;
const TW = 1 << 21;
const TSR = 1 << 22;

// Exception codes; that of an environment call is ECALL_FROM_U plus the privilege level.
const BREAKPOINT = 3;
const ECALL_FROM_U = 8;
`;
