/** Every request the adapter answers, by command: its arguments and the body of its response. Types are the protocol's own. */
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import type { CustomRequests } from './custom';

type Body<Response extends { body?: unknown }> = NonNullable<Response['body']>;
type Nothing = void;

interface StandardRequests {
  initialize: { arguments: D.InitializeRequestArguments; body: D.Capabilities };
  launch: { arguments: D.LaunchRequestArguments & Record<string, unknown>; body: Nothing };
  configurationDone: { arguments: D.ConfigurationDoneArguments; body: Nothing };
  setBreakpoints: { arguments: D.SetBreakpointsArguments; body: Body<D.SetBreakpointsResponse> };
  breakpointLocations: { arguments: D.BreakpointLocationsArguments; body: Body<D.BreakpointLocationsResponse> };
  setExceptionBreakpoints: { arguments: D.SetExceptionBreakpointsArguments; body: Nothing };
  exceptionInfo: { arguments: D.ExceptionInfoArguments; body: Body<D.ExceptionInfoResponse> };
  threads: { arguments: unknown; body: Body<D.ThreadsResponse> };
  stackTrace: { arguments: D.StackTraceArguments; body: Body<D.StackTraceResponse> };
  scopes: { arguments: D.ScopesArguments; body: Body<D.ScopesResponse> };
  variables: { arguments: D.VariablesArguments; body: Body<D.VariablesResponse> };
  evaluate: { arguments: D.EvaluateArguments; body: Body<D.EvaluateResponse> };
  continue: { arguments: D.ContinueArguments; body: Body<D.ContinueResponse> };
  next: { arguments: D.NextArguments; body: Nothing };
  stepIn: { arguments: D.StepInArguments; body: Nothing };
  stepOut: { arguments: D.StepOutArguments; body: Nothing };
  pause: { arguments: D.PauseArguments; body: Nothing };
  modules: { arguments: D.ModulesArguments; body: Body<D.ModulesResponse> };
  source: { arguments: D.SourceArguments; body: Body<D.SourceResponse> };
  restart: { arguments: D.RestartArguments; body: Nothing };
  terminate: { arguments: D.TerminateArguments; body: Nothing };
  disconnect: { arguments: D.DisconnectArguments; body: Nothing };
}

export type Requests = StandardRequests & CustomRequests;
export type Command = keyof Requests;
