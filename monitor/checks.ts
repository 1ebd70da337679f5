/**
 * The checks that keep enclaves apart, by name: each sentence says what holds while the check is on. Tests switch single ones off
 * (`MonitorOptions.checks`) to show that an attack meets that check and nothing else; no guest and no launch description reaches them.
 * docs/guarded-memory.md lists them with the attacks they stop.
 */
export const CHECKS = {
  // The host's page tables: page-tables.ts, table-area.ts.
  setPteRange: 'SET_PTE changes, and zeroes, entries of the page-table area only.',
  setPteAligned: 'SET_PTE writes whole entries.',
  setPteOwnership: 'No entry that is stored shows a private page.',
  setPteTables: 'A stored pointer names a table in the next part of the page-table area.',
  setPteRootLeaf: 'A root table takes no leaves, which would show 1 GiB each.',
  copySource: 'What SET_PTE copies comes from host memory or the page-table area.',
  listPublic: 'A list of entries lies in host memory.',
  listCopied: 'A list of entries is read once: what is stored is what was checked.',
  mapPteTables: 'MAP_PTE splits an entry of the middle part, into a table of the leaf part.',
  tvmRootCheck: 'satp takes only Sv39 with a root of the root part.',
  tvmSupervisor: 'Only S-mode has its accesses to satp emulated.',
  ptAreaPmp: 'PMP keeps S- and U-mode from writing the page-table area.',
  bitmapPmp: 'PMP keeps S- and U-mode from the ownership bitmap.',
  monitorPmp: 'PMP keeps S- and U-mode from the memory of the monitor.',
  hostPteInvalidation: 'Host entries of pages that become private lose their V bit.',
  partialLeaf: 'Pages that share a large page of the host with others do not become private before it is split.',
  smInitOnce: 'SM_INIT is done once.',
  smInitDisjoint: 'The page-table area and the ownership bitmap do not overlap.',
  separationTables: 'PT_AREA_SEPARATION checks what lies in the area like a SET_PTE.',
  separatedFirst: 'Nothing becomes an enclave’s before PT_AREA_SEPARATION.',
  hostPaging: 'Nothing becomes an enclave’s while satp is Bare and shows the host all of memory.',
  separationRoot: 'PT_AREA_SEPARATION accepts no satp with a root outside of the root part.',
  // Ownership of pages: pages.ts.
  claimOwnership: 'A page that is private becomes nobody else’s.',
  claimUnshared: 'A page that an enclave maps as shared memory becomes nobody’s.',
  claimAligned: 'What becomes somebody’s is whole pages.',
  claimOrdinary: 'The monitor, the page-table area and the bitmap become nobody’s.',
  sharePublic: 'What an enclave maps as kbuffer or shared memory, or has results written to, is public.',
  zeroFreed: 'Memory of an enclave is zeroed before the host sees it again.',
  // What the host passes: create.ts, fork.ts, control.ts, report.ts.
  paramPublic: 'A parameter block lies in host memory.',
  eidPointer: 'The monitor writes a new eid to host memory.',
  outPointers: 'Results of ocalls and of EAPP_RETURN go to one page of host memory.',
  reportPointer: 'A report goes to host memory.',
  tableOwnership: 'Each table and page of a new enclave lies in its pool and is used once.',
  tableFree: 'No page of a new enclave is one that later becomes a page table.',
  tableLeaves: 'A new enclave has 4 KiB pages only.',
  nameLength: 'A name has 16 bytes, and ends there or at a NUL.',
  serverName: 'A server’s name is its own while it lives.',
  relayName: 'The name of an enclave with relay pages is its own while it lives.',
  transferName: 'Transferred relay pages go to the enclave of the name they were transferred to.',
  stateTable: 'An operation is refused in the states for which operations.ts says so.',
  ownerSpace: 'STOP, RESUME, DESTROY and ATTEST obey the process that owns the enclave.',
  slotFreed: 'The number of an enclave that is gone names nothing.',
  resumeServer: 'A server is resumed through the enclave it works for.',
  ocallMatch: 'RESUME answers the ocall that the enclave waits in.',
  grantSize: 'Memory the host grants is as much as the enclave asked for.',
  destroyType: 'DESTROY_ENCLAVE ends no server and DESTROY_SERVER_ENCLAVE nothing else.',
  serverBusy: 'A server that works for an enclave is not destroyed.',
  templateReadOnly: 'No instance writes a page of its template: a store gives it a copy first.',
  tableCopied: 'No instance changes a page table of its template: it gets a copy first.',
  templateInUse: 'A template whose instances live is not destroyed.',
  // What an enclave passes: enclave-tables.ts, areas.ts, calls.ts, enclave-calls.ts.
  pageAccess: 'The monitor reads and writes for an enclave only what the enclave itself could.',
  callCopied: 'call_enclave’s argument is read once, at the call.',
  handleCurrent: 'A handle from acquire_enclave names the server it came from, not one that has its number now.',
  sharedUsers: 'Memory that enclaves share goes with its last user.',
  areaOwner: 'An enclave passes on, returns and unmaps only areas of its own.',
  relayOwner: 'An enclave transfers and splits only relay pages of its own.',
  // The driver: driver/driver.ts.
  deviceMmapOwnership: 'The driver refuses to mmap relay memory that an enclave owns.',
} as const;

export type CheckName = keyof typeof CHECKS;
export type Checks = Readonly<Record<CheckName, boolean>>;

export const ALL_CHECKS = Object.fromEntries(Object.keys(CHECKS).map((name) => [name, true])) as Checks;
