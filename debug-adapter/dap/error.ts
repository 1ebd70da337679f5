/**
 * An error a user can meet, in the protocol's terms. The factories that name them are in ../errors.ts; this file knows only how one
 * travels: `message` of the response is the short code, `body.error` the sentence with its remedy.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';

export class AdapterError extends Error {
  constructor(
    /** Short stable name, `PROGRAM_NOT_FOUND`. */
    readonly code: string,
    /** Number of the kind of error, unique and stable, as the protocol wants it. */
    readonly id: number,
    readonly what: string,
    /** What the user can do about it; empty only when there is nothing. */
    readonly remedy: string,
    /** Whether an editor should show it by itself. */
    readonly showUser: boolean,
  ) {
    super(remedy === '' ? what : `${what} ${remedy}`);
  }

  /** The sentence with its remedy and code, as shown to a person. */
  get text(): string {
    return `${this.message} (${this.code})`;
  }

  toMessage(): DebugProtocol.Message {
    // Braces in `format` are place-holders for variables; what comes from a file name or a guest must not be taken for one.
    return { id: this.id, format: '{text}', variables: { text: this.text }, showUser: this.showUser };
  }
}
