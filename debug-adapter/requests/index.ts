/** Every request the adapter answers; one file each. */
import type { RequestHandler } from '../dap/server';
import type { Session } from '../session/session';
import { breakpointLocationsRequest } from './breakpointLocations';
import { configurationDoneRequest } from './configurationDone';
import { continueRequest } from './continue';
import { disconnectRequest } from './disconnect';
import { evaluateRequest } from './evaluate';
import { exceptionInfoRequest } from './exceptionInfo';
import { initializeRequest } from './initialize';
import { launchRequest } from './launch';
import { modulesRequest } from './modules';
import { nextRequest } from './next';
import { pauseRequest } from './pause';
import { restartRequest } from './restart';
import { scopesRequest } from './scopes';
import { setBreakpointsRequest } from './setBreakpoints';
import { setExceptionBreakpointsRequest } from './setExceptionBreakpoints';
import { sourceRequest } from './source';
import { stackTraceRequest } from './stackTrace';
import { stepInRequest } from './stepIn';
import { stepOutRequest } from './stepOut';
import { terminateRequest } from './terminate';
import { threadsRequest } from './threads';
import { variablesRequest } from './variables';
import { enclaveListRequest } from './enclaveList';
import { enclaveDestroyRequest, enclaveResumeRequest, enclaveStopRequest } from './enclaveOperations';

export const requests = [
  initializeRequest,
  launchRequest,
  configurationDoneRequest,
  setBreakpointsRequest,
  breakpointLocationsRequest,
  setExceptionBreakpointsRequest,
  exceptionInfoRequest,
  threadsRequest,
  stackTraceRequest,
  scopesRequest,
  variablesRequest,
  evaluateRequest,
  continueRequest,
  nextRequest,
  stepInRequest,
  stepOutRequest,
  pauseRequest,
  modulesRequest,
  sourceRequest,
  restartRequest,
  terminateRequest,
  disconnectRequest,
  enclaveListRequest,
  enclaveStopRequest,
  enclaveResumeRequest,
  enclaveDestroyRequest,
] as unknown as readonly RequestHandler<Session>[];
