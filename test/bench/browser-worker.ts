/** The child of the benchmark as a worker of a browser: gets an image and a MachineRun, answers with a HostResult. */
import { prepare, toTheEnd, type MachineRun } from './machine';
import type { HostResult } from './jobs';

declare const self: { onmessage: (event: { data: unknown }) => void; postMessage(message: unknown): void };

interface Order {
  readonly image: ArrayBuffer;
  readonly run: MachineRun;
}

/** First an Order, which is answered with `ready`; then anything, which starts the run. */
let start: (() => HostResult) | undefined;

function told(data: unknown): unknown {
  if (start) return start();
  const { image, run } = data as Order;
  const prepared = prepare(new Uint8Array(image), run);
  start = () => {
    const began = performance.now();
    const result = toTheEnd(prepared);
    return { ...result, wallSeconds: (performance.now() - began) / 1000 };
  };
  return 'ready';
}

self.onmessage = ({ data }) => {
  try {
    self.postMessage(told(data));
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
