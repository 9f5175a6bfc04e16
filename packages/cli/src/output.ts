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
  /** A bar on a terminal; elsewhere a line at the start and every ten seconds. */
  progress(title: string): { update(done: number, total: number, note?: string): void; stop(): void };
}

const QUIET_SECONDS = 10;

export function createOutput(io: Io, json: boolean): Output {
  const colours = pc.createColors(!io.env.NO_COLOR && Boolean(io.stderr.isTTY));
  const say = (text: string) => void io.stderr.write(`${text}\n`);
  return {
    json,
    signal: io.signal,
    say,
    warn: (text) => say(`${colours.yellow('warning:')} ${text}`),
    result: (text, object) => void io.stdout.write(json ? `${JSON.stringify(object)}\n` : `${text}\n`),
    progress(title) {
      if (!io.stderr.isTTY) {
        let told = performance.now();
        say(`${title}…`);
        return {
          update(done, total, note) {
            if (performance.now() - told < 1000 * QUIET_SECONDS) return;
            told = performance.now();
            say(`  ${title}: ${Math.floor((100 * done) / (total || 1))} %${note ? `, ${note}` : ''}`);
          },
          stop() {},
        };
      }
      const bar = new cliProgress.SingleBar(
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
          if (!started) bar.start(total, done, { note });
          else {
            bar.setTotal(total);
            bar.update(done, { note });
          }
          started = true;
        },
        stop() {
          if (started) bar.stop();
        },
      };
    },
  };
}
