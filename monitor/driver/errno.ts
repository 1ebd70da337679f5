/** Negative errno values as the driver returns them (Linux, asm-generic). */
export const EPERM = -1;
export const ENOENT = -2;
export const EINTR = -4;
export const ENOMEM = -12;
export const EFAULT = -14;
export const EINVAL = -22;
