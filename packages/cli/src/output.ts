import { type Elsewhere, paceClock } from '@epochscope/analysis/workflows';
import { printable } from '@epochscope/core-wasm';
import cliProgress from 'cli-progress';
import pc from 'picocolors';

/** Where a command talks: stdout is data, stderr is talk. Tests give their own. */
export interface Io {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown; isTTY?: boolean };
  env: Record<string, string | undefined>;
  signal: AbortSignal;
}

export interface Output {
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** A line for people, on stderr. */
  say(text: string): void;
  warn(text: string): void;
  /** The command's result: text for people, or the object under --json, on stdout. */
  result(text: string, object: unknown): void;
  /** A bar on a terminal, with the time left; elsewhere a line at the start and every ten seconds. */
  progress(title: string): { update(done: number, total: number, note?: string): void; stop(): void };
  /** Who does the work instead of this process, if not it. */
  readonly batch?: Elsewhere;
}

const QUIET_SECONDS = 10;
/** A result's text is a table of any length; a line of talk is one line. */
const MAX_TEXT = 10_000_000;

// Whatever a name out of a file holds, only printable text and our own colours reach a terminal.
const shown = (text: string) => printable(withFlags(text), { lines: true, most: MAX_TEXT });

const notesWithFlags = (key: string, value: unknown) =>
  key === 'notes' && Array.isArray(value)
    ? value.map((note) => (typeof note === 'string' ? withFlags(note) : note))
    : value;

export function createOutput(io: Io, json: boolean): Output {
  const colours = pc.createColors(!io.env.NO_COLOR && Boolean(io.stderr.isTTY));
  const say = (text: string) => void io.stderr.write(`${shown(text)}\n`);
  return {
    json,
    signal: io.signal,
    say,
    warn: (text) => void io.stderr.write(`${colours.yellow('warning:')} ${printable(withFlags(text))}\n`),
    result: (text, object) =>
      void io.stdout.write(json ? `${JSON.stringify(object, notesWithFlags)}\n` : `${shown(text)}\n`),
    progress: (title) => (io.stderr.isTTY ? bar(io, title) : lines(say, title)),
  };
}

function lines(say: (text: string) => void, title: string): ReturnType<Output['progress']> {
  const clock = timeLeft();
  let told = performance.now();
  say(`${title}…`);
  return {
    update(done, total, note) {
      const left = clock(done, total);
      if (performance.now() - told < 1000 * QUIET_SECONDS) return;
      told = performance.now();
      say(
        `  ${title}: ${[`${Math.floor((100 * done) / (total || 1))} %`, left, note].filter(Boolean).join(', ')}`,
      );
    },
    stop() {},
  };
}

function bar(io: Io, title: string): ReturnType<Output['progress']> {
  const clock = timeLeft();
  const single = new cliProgress.SingleBar(
    {
      format: `${title.padEnd(26)} {bar} {percentage} %  {note}`,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      stream: io.stderr as NodeJS.WriteStream,
    },
    cliProgress.Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, total, note = '') {
      const shownNote = {
        note: [clock(done, total), printable(note, { most: 80 })].filter(Boolean).join('  '),
      };
      if (!started) single.start(total, done, shownNote);
      else {
        single.setTotal(total);
        single.update(done, shownNote);
      }
      started = true;
    },
    stop() {
      if (started) single.stop();
    },
  };
}

/** "1 min 20 s left", from the pace since the first call; '' while that cannot be known. */
export function timeLeft(now?: () => number): (done: number, total: number) => string {
  const clock = paceClock(now);
  return (done, total) => {
    const left = clock(total > 0 ? done / total : 0);
    return left === null ? '' : `${duration(left)} left`;
  };
}

/** Options that a library's texts name in code, as they are given there, and how a flag takes their value where that is not the same. */
const NAMED = new Set(
  'base decimal drop firstEpoch followLinks header index inputs labels length link marks memory metric missing outputs revisions samples series stabilitySubsets thin tokenizer'.split(
    ' ',
  ),
);
const AS_FLAGS: Record<string, string> = {
  'missing: true': '--missing pairwise',
  stabilitySubsets: '--stability',
};

function flagOf(name: string, value?: string): string {
  const known = AS_FLAGS[value === undefined ? name : `${name}: ${value}`];
  if (known) return known;
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (value === 'false') return `--no-${words}`;
  if (value === undefined || value === 'true') return `--${words}`;
  return `--${words} ${name === 'labels' ? `column:${value}` : value}`;
}

/** A library names options, "(option maxUnits)" or "`header: false`"; here they are flags, "(--max-units)" and "--no-header". */
export const withFlags = (text: string): string =>
  text
    .replace(/\(option (\w+)\)/g, (_, name: string) => `(${flagOf(name)})`)
    .replace(/`(\w+)(?:: ([^`]+))?`/g, (as, name: string, value?: string) =>
      NAMED.has(name) ? flagOf(name, value) : as,
    );

/** "4 s", "1 min 20 s", "2 h 5 min". */
export function duration(seconds: number): string {
  const s = Math.max(1, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min${s < 600 && s % 60 ? ` ${s % 60} s` : ''}`;
  const minutes = Math.round(s / 60);
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}
