/** How the host OS asks this monitor to change page tables: the calls of its host interface. */
import type { PageTableFirmware } from '../../emulator/linux/device';
import { Sbi, SetPte } from '../abi';
import { sbi } from '../driver/core';

export const pageTableFirmware: PageTableFirmware = {
  setup: ({ base, size, rootPages, middlePages, bitmapBase, bitmapSize }) => [
    sbi(Sbi.SM_INIT, base, size, bitmapBase, bitmapSize, 0),
    sbi(Sbi.PT_AREA_SEPARATION, Math.log2(rootPages), Math.log2(middlePages)),
  ],
  write: (list, count) => sbi(Sbi.SET_PTE, SetPte.BATCH_SET, list, count, count * 16),
  split: (entry, table) => sbi(Sbi.MAP_PTE, entry, table),
};
