import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, cliUntil } from './harness.js';

// What becomes of a command whose output nobody reads, or cannot be written: in a shell, as people do it.
const bin = join(createRequire(import.meta.url).resolve('epochscope/package.json'), '..', 'dist', 'main.js');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-output-'));
  await writeFile(
    join(folder, 'x.csv'),
    Array.from({ length: 50 }, (_, i) => `${i % 7},${(i * i) % 11}`).join('\n'),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const shell = (script: string): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) =>
    execFile('bash', ['-c', script], { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: (error?.code as number | undefined) ?? 0, stdout, stderr }),
    ),
  );
const epochscope = `'${process.execPath}' '${bin}'`;

describe.skipIf(process.platform === 'win32')('output', () => {
  it('exits 1 with one line where stdout cannot be written', async () => {
    const { code, stderr } = await shell(`${epochscope} --help > /dev/full`);
    expect(code).toBe(1);
    expect(stderr.trim()).toBe('epochscope: the output could not be written: the disk is full');
  });

  it('ends quietly when the reader of both streams has gone, and leaves a run that opens', async () => {
    const { stdout } = await shell(
      `(${epochscope} train mlp --hidden 8 --epochs 60 -o run; echo "exit $?" >&3) 3>code 2>&1 | head -1; sleep 0.1; cat code`,
    );
    expect(stdout).toContain('training and');
    expect(stdout).toContain('exit 0');
    const { code } = await shell(`${epochscope} info run --json`);
    expect(code).toBe(0);
  });

  it('names the limit, not a defect, where a machine gives too little memory or too few files', async () => {
    // Addresses in kB that bare Node can start with; files likewise.
    const limits = [
      ...[800_000, 900_000, 1_400_000, 2_000_000, 4_000_000, 12_000_000].map((kB) => `-v ${kB}`),
      ...[20, 32].map((files) => `-n ${files}`),
    ];
    for (const limit of limits) {
      const { code, stderr } = await shell(`ulimit ${limit}; ${epochscope} tendency x.csv -o out`);
      const [last, before] = stderr.trim().split('\n').reverse();
      expect([code, limit, last]).toEqual([
        1,
        limit,
        expect.stringMatching(/^epochscope: .*("ulimit -.*raise|raise.*"ulimit -)/),
      ]);
      expect(before ?? '', limit).not.toMatch(/^epochscope: /);
      expect(stderr, limit).not.toContain('defect');
    }
    await writeFile(join(folder, 'without.mjs'), 'delete globalThis.SharedArrayBuffer;');
    const { code, stderr } = await shell(
      `NODE_OPTIONS=--import=./without.mjs ${epochscope} tendency x.csv -o out`,
    );
    expect([code, stderr.trim().split('\n').at(-1)]).toEqual([
      1,
      expect.stringContaining('epochscope: SharedArrayBuffer is missing here'),
    ]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends the reading of a large file at once', async (signal) => {
    // Stands where it is read for seconds, whatever it holds: numbers of a text, chunks of a zip, opcodes of a pickle.
    const row = `${Array.from({ length: 200 }, (_, i) => (i * 7919) % 1013).join()}\n`;
    await writeFile(join(folder, 'large.csv'), row.repeat(80_000));
    const child = spawn(process.execPath, [bin, 'tendency', 'large.csv', '-o', 'never'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (text) => (stderr += text));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    // It reads as soon as it has loaded, and says nothing before it has read.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.kill(signal);
    expect([await ended, stderr.trim()]).toEqual([130, 'epochscope: reading large.csv was cancelled']);
    expect(await readdir(folder)).not.toContain('never');
  });

  it('opens no pipe, device or socket where a file or folder is expected, whatever the option', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const socket = join(folder, 'socket');
    const server = createServer().listen(socket);
    const checkpoints = join(folder, 'checkpoints');
    await mkdir(checkpoints);
    const x = join(folder, 'x.csv');
    const out = join(folder, 'never');
    for (const other of [pipe, socket, '/dev/zero']) {
      const all = [
        ['info', other],
        ['tendency', other, '-o', out],
        ['tendency', x, '--labels', other, '-o', out],
        ['tendency', x, '--png', '--font', other, '-o', join(folder, 'without-pictures')],
        ['tendency', x, '-o', other],
        ['train', 'mlp', '--data', other, '-o', out],
        ['train', 'mlp', '-o', other],
        ['import', other, '-o', out],
        ['import', checkpoints, '--model', other, '-o', out],
        ['import', checkpoints, '--inputs', other, '-o', out],
        ['geometry', other, '--hierarchy', other],
        ['report', other, '-o', join(folder, 'never.html')],
        ['report', x, '-o', other],
        ['serve', other],
      ];
      // The kind is looked at in one place: each of the others by two.
      for (const command of other === pipe ? all : all.slice(0, 2)) {
        const { code, err } = await cli(...command);
        expect(code, command.join(' ')).toBe(1);
        expect(err.trim().split('\n').at(-1), command.join(' ')).toMatch(/^epochscope: /);
        expect(err, command.join(' ')).not.toContain('defect');
      }
    }
    server.close();
    expect(await readdir(folder)).not.toEqual(expect.arrayContaining(['never']));
  });

  it('a first signal ends the wait for a pipe that nobody writes into', async () => {
    const silent = join(folder, 'silent');
    execFileSync('mkfifo', [silent]);
    const fd = openSync(silent, 'r+');
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    const { code, err } = await cliUntil(['tendency', `/dev/fd/${fd}`], controller.signal);
    closeSync(fd);
    expect([code, err]).toEqual([130, 'epochscope: reading stdin was cancelled\n']);
  });

  it('a second signal ends the process at once', async () => {
    const child = spawn(
      process.execPath,
      [bin, 'train', 'lenet5', '--epochs', '500', '-o', join(folder, 'long')],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    await new Promise((resolve) => child.stderr.once('data', resolve));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect(await ended).toBe(130);
  });
});

/** A file system of so many kilobytes; null where this process may mount none. */
function smallDisk(kilobytes: number): string | null {
  const place = mkdtempSync(join(tmpdir(), 'epochscope-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', place]);
  return status === 0 ? place : null;
}
const disk = smallDisk(256);
afterAll(() => void (disk && spawnSync('umount', [disk])));

describe.skipIf(!disk)('a full disk (skipped where none may be mounted)', () => {
  it.each([
    ['tendency x.csv -o', 250],
    ['tendency x.csv -o', 230],
    ['train mlp --hidden 8 --epochs 1 --samples 10 -o', 240],
    ['train mlp --hidden 8 --epochs 1 --samples 10 -o', 200],
  ])(
    '%s, %i of 256 kB taken: one line, nothing half-written, and the same command goes on',
    async (command, taken) => {
      await writeFile(join(disk!, 'taken'), new Uint8Array(taken * 1024));
      const out = join(disk!, 'out');
      const { code, stderr } = await shell(`${epochscope} ${command} ${out}`);
      expect(code).toBe(1);
      expect(stderr.split('\n').filter((line) => line.startsWith('epochscope:'))).toHaveLength(1);
      expect(stderr).toContain('the disk is full');
      const left = await readdir(disk!, { recursive: true });
      expect(left.filter((name) => name.includes('.tmp-'))).toEqual([]);
      // What lies beside the output is whole, and is said.
      if (left.some((name) => name.includes('.parts'))) expect(stderr).toContain('kept');
      await rm(join(disk!, 'taken'));
      expect((await shell(`${epochscope} ${command} ${out}`)).code).toBe(0);
      for (const name of await readdir(disk!)) await rm(join(disk!, name), { recursive: true });
    },
  );
});

describe('info', () => {
  it('prints names of a hostile run.json as text, each on its line', async () => {
    const run = join(folder, 'hostile');
    await cp(new URL('./fixtures/hostile-names', import.meta.url), run, { recursive: true });
    const { stdout, stderr } = await shell(`${epochscope} info hostile`);
    expect((stdout + stderr).replace(/\n/g, '')).not.toMatch(/\p{Cc}/u);
    expect(stdout).toContain('\\x1b[2J');
    expect(JSON.parse(await readFile(join(run, 'run.json'), 'utf8')).layers[0].name).toContain('\x1b[2J');
  });
});
