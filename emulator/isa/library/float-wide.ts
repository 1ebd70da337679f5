// Shifts of 128-bit numbers, for the product of a fused multiply-add. A number is a pair (high, low); a result's low half is in wideLow.

export const FLOAT_WIDE = `
global wideLow: i64;

// Shifted right by n, which is not negative; bit 0 is set when a one was shifted out.
fn wideShiftRightJam(high: i64, low: i64, n: i32) -> i64 {
  if (n == 0) {
    wideLow = low;
    return high;
  }
  if (n >=s 64) {
    wideLow = shiftRightJam(high, n - 64) | zext64(low != 0);
    return 0;
  }
  let count = zext64(n);
  wideLow = (high << (64 - count)) | shiftRightJam(low, n);
  return high >>u count;
}
`;
