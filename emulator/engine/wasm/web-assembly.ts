/** What of the host's WebAssembly object is used; the types of this project know no DOM. */

export interface Table {
  set(place: number, value: null): void;
}

export interface Instance {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface Host {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: { readonly env: object }) => Instance;
  readonly Table: new (limits: { element: 'anyfunc'; initial: number; maximum: number }) => Table;
  validate(bytes: Uint8Array): boolean;
}
declare const WebAssembly: Host | undefined;

export const isPresent = (): boolean => typeof WebAssembly !== 'undefined';

/** @throws where the host has no WebAssembly */
function host(): Host {
  if (typeof WebAssembly === 'undefined') throw new Error('this host has no WebAssembly');
  return WebAssembly;
}

/** @throws where the host refuses to compile */
export const compile = (bytes: Uint8Array): object => new (host().Module)(bytes);
export const instantiate = (module: object, env: object): Instance => new (host().Instance)(module, { env });
export const validates = (bytes: Uint8Array): boolean => isPresent() && host().validate(bytes);

/** A table of functions that never grows. */
export const newTable = (places: number): Table =>
  new (host().Table)({ element: 'anyfunc', initial: places, maximum: places });
