import { compute } from './compute.js';

const answer = await compute().then(
  (bits) => ({ bits, isolated: crossOriginIsolated }),
  (error) => ({ error: String(error?.stack ?? error) }),
);
await fetch('/answer', { method: 'POST', body: JSON.stringify(answer) });
