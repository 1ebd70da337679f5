/** Negative errno values as the driver returns them. */
import { Errno } from '../../emulator/linux/errno';

export const EPERM = -Errno.EPERM;
export const EINTR = -Errno.EINTR;
export const ENOMEM = -Errno.ENOMEM;
export const EFAULT = -Errno.EFAULT;
export const EINVAL = -Errno.EINVAL;
