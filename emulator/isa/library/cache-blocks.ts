// Which privilege levels may operate on cache blocks (unprivileged manual, "CSR controls for CMO instructions").

export const CACHE_BLOCKS = `
// Fields of menvcfg and senvcfg. CBIE: 0 cbo.inval is illegal, 1 it flushes, 3 it invalidates.
const CBIE = 0x30;
const CBCFE = 0x40;
const CBZE = 0x80;

// Is a field of menvcfg, and in U-mode the same of senvcfg too, other than zero? M-mode needs neither.
fn enabledBelow(field: i64) -> bool {
  if (privilege == MACHINE) { return true; }
  if ((menvcfg & field) == 0) { return false; }
  return privilege == SUPERVISOR || (senvcfg & field) != 0;
}
`;
