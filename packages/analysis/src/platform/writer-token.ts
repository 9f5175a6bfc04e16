import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

// Names of what is being written say who writes it, so that leftovers of a killed writer are told from the work of a living one.

/** Leftovers of another machine are taken as abandoned after this time without a change. */
const PATIENCE = 24 * 3600 * 1000;

const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 4);
const pid = () => process.pid.toString(16).padStart(8, '0');
let count = Math.trunc(Math.random() * 2 ** 32);

/** 20 hex digits: 4 of the machine, 8 of the process, 8 that differ. */
export const nextToken = (): string => `${machine}${pid()}${(count++ >>> 0).toString(16).padStart(8, '0')}`;

/** Whether the writer of a name that ends in a token is gone; `modified` is asked for where it cannot be known otherwise. */
export async function isAbandoned(name: string, modified: () => number | Promise<number>): Promise<boolean> {
  const token = /([0-9a-f]{4})([0-9a-f]{8})[0-9a-f]{8}$/.exec(name);
  if (token && token[1] === machine) {
    try {
      // Signal 0 only asks whether the process is there.
      process.kill(Number.parseInt(token[2]!, 16), 0);
      return false;
    } catch (cause) {
      return (cause as NodeJS.ErrnoException).code === 'ESRCH';
    }
  }
  return Date.now() - (await modified()) > PATIENCE;
}
