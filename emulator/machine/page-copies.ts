/**
 * Where copies of pages lie. Memory that a process touches for the first time costs some 3 µs a page, in the kernel of the host; copying to memory that
 * was touched before 0.4 µs (measured). So what is given back is used again.
 */
import { PAGE_SIZE } from '../units';

/** Pages of one allocation: a buffer for each page would take three times as long (measured). */
const PIECE_PAGES = 64;

export class PageCopies {
  private readonly spare: Uint8Array[] = [];
  private piece = new Uint8Array(0);
  private taken = 0;
  /** Copies made so far. */
  made = 0;
  /** Pages of memory that were touched for them so far. */
  touched = 0;

  /** Copies in use; those that nobody gave back are among them. */
  get held(): number {
    return this.touched - this.spare.length;
  }

  copyOf(bytes: Uint8Array): Uint8Array {
    const copy = this.spare.pop() ?? this.fresh();
    copy.set(bytes);
    this.made++;
    return copy;
  }

  private fresh(): Uint8Array {
    if (this.taken === this.piece.length) {
      this.piece = new Uint8Array(PIECE_PAGES * PAGE_SIZE);
      this.taken = 0;
    }
    this.touched++;
    return this.piece.subarray(this.taken, (this.taken += PAGE_SIZE));
  }

  /** Nobody looks at this copy any more. */
  giveBack(copy: Uint8Array): void {
    this.spare.push(copy);
  }
}
