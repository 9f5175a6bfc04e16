// Nothing but Node's own is imported here: it is needed where nothing more can be opened.
import { readFileSync } from 'node:fs';

/** As "engines" of package.json has it; a test holds them together. */
export const NODE = [20, 19] as const;

/** What to say where Node is older than what this is written for, whose first import would fail; null where it is not. */
export function tooOld(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > NODE[0] || (major === NODE[0] && minor >= NODE[1])
    ? null
    : `this is Node ${version}, and Node ${NODE.join('.')} or newer is needed: https://nodejs.org, or "npm install -g n && n 22"`;
}

/** Bytes of addresses below which Node itself ends at any moment, without a word. */
const ADDRESSES = 1.5e9;

/** What to say where a limit leaves this process too few addresses to run at all; null where it does not (or is not known). */
export function tooFewAddresses(): string | null {
  let limits = '';
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {}
  const most = Number(/^Max address space +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  return most < ADDRESSES
    ? `a limit leaves this process ${Math.round(most / 1e6)} MB of addresses ("ulimit -v"), and Node takes 1.5 GB of them, used or not: raise it, "ulimit -v unlimited"`
    : null;
}

/** Limits of the machine that no check of ours foresees, as one line with the way out; null for what is none. */
export function ofThisMachine(error: unknown): { code: 'memory' | 'io'; message: string } | null {
  const text = error instanceof Error ? error.message : String(error);
  if (
    /could not allocate memory|allocation failed|Invalid (typed )?array (buffer )?length|out of memory|ENOMEM/i.test(
      text,
    )
  )
    return {
      code: 'memory',
      message: `this machine gives no more memory (${text}); a limit such as "ulimit -v" may be set: raise it, or give fewer samples, layers or --threads`,
    };
  if (/EMFILE|ENFILE/.test(text))
    return { code: 'io', message: `too many open files (${text}); raise the limit with "ulimit -n 1024"` };
  return null;
}
