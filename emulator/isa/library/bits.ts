// Bit manipulation that takes more than an operator (unprivileged manual, "Zbb" and "Zbc" extensions).

export const BITS = `
// Every byte that has any bit set becomes 0xff.
fn orCombine(a: i64) -> i64 {
  // Bit 7 of a byte of the sum: one of its low seven bits is set. No byte carries into the next.
  let any = ((a & 0x7f7f7f7f7f7f7f7f) + 0x7f7f7f7f7f7f7f7f) | a;
  return ((any >>u 7) & 0x0101010101010101) * 0xff;
}

// The bytes in reverse order.
fn reverseBytes(a: i64) -> i64 {
  let bytes = ((a & 0x00ff00ff00ff00ff) << 8) | ((a >>u 8) & 0x00ff00ff00ff00ff);
  let halves = ((bytes & 0x0000ffff0000ffff) << 16) | ((bytes >>u 16) & 0x0000ffff0000ffff);
  return rotl(halves, 32);
}

// Bits 63 to 0 of the carry-less product.
fn carrylessProduct(a: i64, b: i64) -> i64 {
  var product: i64 = 0;
  var term = a;
  var rest = b;
  while (rest != 0) {
    if ((rest & 1) != 0) { product = product ^ term; }
    term = term << 1;
    rest = rest >>u 1;
  }
  return product;
}

// Bits 126 to 63 of the carry-less product; there is no bit 127.
fn carrylessProductReversed(a: i64, b: i64) -> i64 {
  var product: i64 = 0;
  var term = a;
  var rest = b;
  while (rest != 0) {
    if (rest <s 0) { product = product ^ term; }
    term = term >>u 1;
    rest = rest << 1;
  }
  return product;
}
`;
