import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRun } from '@epochscope/analysis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const bin = join(dirname(fileURLToPath(import.meta.url)), '../packages/cli/dist/main.js');
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-serve-cli-'));
  const init = { model: null, layers: [], classes: null, inputShape: [1], training: null };
  await (await createRun(join(folder, 'run'), init)).finish();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(...argv: string[]) {
  const child = spawn(process.execPath, [bin, 'serve', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text.out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (text.err += chunk));
  return { child, text, exit: new Promise<number | null>((resolve) => child.once('exit', resolve)) };
}

describe('epochscope serve', () => {
  it('prints where it is, serves, and stops at Ctrl-C with an open event stream', async () => {
    const { child, text, exit } = start(join(folder, 'run'), '--port', '0');
    while (!text.out.includes('\n')) await new Promise((resolve) => setTimeout(resolve, 30));
    const url = text.out.trim();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const { runs } = (await (await fetch(`${url}api/runs`)).json()) as { runs: { key: string }[] };
    expect(runs.map(({ key }) => key)).toEqual(['run']);
    const stream = await fetch(`${url}api/runs/run/events`);
    child.kill('SIGINT');
    expect(await exit).toBe(0);
    expect(text.err).toContain('Stopped.');
    await stream.body?.cancel().catch(() => {});
  });

  it('says in one line that a port is in use, and exits 1', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const { text, exit } = start(join(folder, 'run'), '--port', String(port));
    expect(await exit).toBe(1);
    expect(text.err.trim()).toBe(
      `epochscope: port ${port} of 127.0.0.1 is in use; choose another with --port, or --port 0 for any`,
    );
    other.close();
  });

  it('refuses what is no folder, and no port', async () => {
    for (const [argv, code, message] of [
      [[join(folder, 'none')], 1, 'does not exist; expected a run or a folder of runs'],
      [[bin], 1, 'is not a folder; expected a run or a folder of runs'],
      [[folder, '--port', '70000'], 2, "argument '70000' is invalid. expected a whole number 0 … 65535"],
    ] as const) {
      const { text, exit } = start(...argv);
      expect(await exit).toBe(code);
      expect(text.err).toContain(message);
      const said = text.err.split('\n').filter((line) => /^(epochscope|error): /.test(line));
      expect(said, text.err).toHaveLength(1);
    }
  });
});
