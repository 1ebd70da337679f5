/** Jobs for runtimes that the benchmark can't start a process in: they fetch them from here over HTTP, and bring the results back. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { readFileSync } from 'node:fs';
import type { MachineResult, MachineRun } from './machine';

export interface Job {
  /** Path of the program. */
  readonly image: string;
  readonly run: MachineRun;
  /** Which of the places that the runtime has. */
  readonly where?: string;
}

export interface HostResult extends MachineResult {
  /** CPU seconds of the run, where the runtime can tell. */
  readonly runSeconds?: number;
  readonly wallSeconds: number;
}

const LONGEST_MS = 600_000;

interface Waiting {
  readonly job: Job;
  readonly started: () => void;
  readonly done: (answer: HostResult | { error: string }) => void;
}

/** The page that a browser opens: a new worker for each job. */
const PAGE = `<!doctype html><title>bench</title><script type="module">
for (;;) {
  const response = await fetch('/job/browser?about=' + encodeURIComponent(navigator.userAgent));
  if (response.status !== 200) break;
  const { run } = await response.json();
  const image = await (await fetch('/image/browser')).arrayBuffer();
  const worker = new Worker('/worker.js');
  const tell = (message) => new Promise((done) => {
    worker.onmessage = ({ data }) => done(data);
    worker.onerror = ({ message }) => done({ error: message });
    worker.postMessage(message);
  });
  let answer = await tell({ image, run });
  if (answer === 'ready') {
    await fetch('/started/browser', { method: 'POST' });
    answer = await tell('go');
  }
  worker.terminate();
  await fetch('/result/browser', { method: 'POST', body: JSON.stringify(answer) });
}
</script>`;

export class JobServer {
  private readonly server = createServer((request, response) => void this.answer(request, response));
  /** By runtime: what it is asked to do, and who waits for something to do. */
  private readonly jobs = new Map<string, Waiting>();
  private readonly idle = new Map<string, ServerResponse>();
  /** What the runtimes say of themselves. */
  readonly about = new Map<string, string>();
  onIdle: (() => void) | undefined;
  private ended = false;

  constructor(private readonly workerScript: string) {}

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Waits for a runtime to ask for the first time. */
  async ready(who: string, ended: Promise<unknown>): Promise<void> {
    if (this.idle.has(who)) return;
    const asked = new Promise<true>((done) => (this.onIdle = () => this.idle.has(who) && done(true)));
    const first = await Promise.race([asked, ended.then(() => false)]);
    if (!first) throw new Error(`${who} ended before it asked for work`);
  }

  /** `started` is called when the runtime has made everything ready for the run, if it tells. */
  async do(who: string, job: Job, started = (): void => undefined): Promise<HostResult> {
    let timer: NodeJS.Timeout | undefined;
    const answer = await new Promise<HostResult | { error: string }>((done) => {
      timer = setTimeout(() => done({ error: `${who} does not answer` }), LONGEST_MS);
      this.jobs.set(who, { job, started, done });
      this.handOut(who);
    });
    clearTimeout(timer);
    if ('error' in answer) throw new Error(answer.error);
    return answer;
  }

  private handOut(who: string): void {
    const [response, waiting] = [this.idle.get(who), this.jobs.get(who)];
    if (!response || !waiting) return;
    this.idle.delete(who);
    response.end(JSON.stringify(waiting.job));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, 'http://localhost');
    // A connection kept open would time out while this process waits for another one.
    response.setHeader('connection', 'close');
    const [, what, who = ''] = pathname.split('/');
    if (what === '') response.setHeader('content-type', 'text/html').end(PAGE);
    else if (what === 'worker.js') response.setHeader('content-type', 'text/javascript').end(this.workerScript);
    else if (what === 'image') response.end(readFileSync(this.jobs.get(who)!.job.image));
    else if (what === 'job' && this.ended) response.writeHead(204).end();
    else if (what === 'job') {
      this.about.set(who, searchParams.get('about') ?? '');
      this.idle.set(who, response);
      this.onIdle?.();
      this.handOut(who);
    } else if (what === 'started') {
      this.jobs.get(who)?.started();
      response.end();
    } else if (what === 'result') {
      const answer = JSON.parse(await text(request)) as HostResult;
      response.end();
      const waiting = this.jobs.get(who);
      this.jobs.delete(who);
      waiting?.done(answer);
    } else response.writeHead(404).end();
  }

  /** Sends everyone home. */
  finish(): void {
    this.ended = true;
    for (const response of this.idle.values()) response.writeHead(204).end();
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
