/** What stands in for a WebAssembly.Memory on a host without WebAssembly: a buffer that is replaced by a larger one when it grows. */
import type { NewMemory } from './memory';

const WASM_PAGE = 65536;

export const plainMemory: NewMemory = ({ initial }) => {
  let buffer = new ArrayBuffer(initial * WASM_PAGE);
  return {
    get buffer(): ArrayBuffer {
      return buffer;
    },
    grow(pages: number): number {
      const before = buffer.byteLength;
      const larger = new ArrayBuffer(before + pages * WASM_PAGE);
      new Uint8Array(larger).set(new Uint8Array(buffer));
      buffer = larger;
      return before / WASM_PAGE;
    },
  };
};
