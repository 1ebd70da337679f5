/** Assembly of an enclave's calls, for tests that assemble their enclaves. */
const CALL = 'li a6, 0x100101\necall';
export const Code = {
  exit: (value: string | number) => `li a0, ${value}\nli a7, 99\n${CALL}`,
  /** a0 is the value already. */
  exitA0: `li a7, 99\n${CALL}`,
  ocall: (id: number, a1: number | string = 0, a2: number | string = 0) =>
    `li a0, ${id}\nli a1, ${a1}\nli a2, ${a2}\nli a7, 98\n${CALL}`,
  call: (number: number, ...args: (number | string)[]) =>
    `${args.map((value, i) => `li a${i}, ${value}`).join('\n')}\nli a7, ${number}\n${CALL}`,
  loop: 'again:\nj again',
} as const;
