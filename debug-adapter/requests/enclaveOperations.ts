/** Stop, resume and destroy from outside, done as the owning process would, also while the program is paused. */
import type { EnclaveOperationName } from '../dap/custom';
import type { Handler } from './handler';

function operation<Name extends EnclaveOperationName>(name: Name): Handler<`enclave/${Name}`> {
  return {
    command: `enclave/${name}`,
    needs: 'launch',
    shape: { instance: 'count' },
    run: (session, { instance }) => session.operate(name, instance),
  };
}

export const enclaveStopRequest = operation('stop');
export const enclaveResumeRequest = operation('resume');
export const enclaveDestroyRequest = operation('destroy');
