/** report_t as bytes, and as people pass it on: raw, hexadecimal or base64. Owns reading it; trusts none of it. */
import { hexToBytes } from '@noble/hashes/utils.js';
import { Report } from '../abi';

export interface ReportFields {
  readonly smHash: Uint8Array;
  readonly smSignature: Uint8Array;
  readonly smPublicKey: Uint8Array;
  readonly enclaveHash: Uint8Array;
  readonly enclaveSignature: Uint8Array;
  readonly nonce: bigint;
  readonly devicePublicKey: Uint8Array;
}

/** The parts of the 328 bytes. */
export function fieldsOf(bytes: Uint8Array): ReportFields {
  const part = (at: number, length: number): Uint8Array => bytes.slice(at, at + length);
  return {
    smHash: part(Report.sm_hash, 32),
    smSignature: part(Report.sm_signature, 64),
    smPublicKey: part(Report.sm_pub_key, 64),
    enclaveHash: part(Report.enclave_hash, 32),
    enclaveSignature: part(Report.enclave_signature, 64),
    nonce: new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(Report.enclave_nonce, true),
    devicePublicKey: part(Report.dev_pub_key, 64),
  };
}

/** The 328 bytes a file holds in one of the three forms; a sentence when it holds none. */
export function readReport(file: Uint8Array): Uint8Array | string {
  if (file.length === Report.SIZE) return file.slice();
  const expected = `a report is ${Report.SIZE} bytes: raw, as ${2 * Report.SIZE} hexadecimal digits, or in base64`;
  if (file.length > 8 * Report.SIZE) return `it has ${file.length} bytes; ${expected}`;
  let text = '';
  for (const byte of file) {
    if (byte > 126 || (byte < 32 && !(byte >= 9 && byte <= 13))) return `it has ${file.length} bytes; ${expected}`;
    // Line breaks, and what dumps put between bytes.
    if (byte > 32 && byte !== 0x2c) text += String.fromCharCode(byte);
  }
  const hex = text.replace(/0x/gi, '').replaceAll(':', '');
  if (/^[0-9a-f]+$/i.test(hex) && hex.length === 2 * Report.SIZE) return hexToBytes(hex);
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) {
    const bytes = fromBase64(text);
    if (bytes?.length === Report.SIZE) return bytes;
  }
  return `it is no report in hexadecimal or base64; ${expected}`;
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    const decoded = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
