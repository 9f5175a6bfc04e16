import { describe, expect, it } from 'vitest';
import { table } from './commands/_shared.js';
import { createOutput, duration, timeLeft, withFlags } from './output.js';

describe('createOutput', () => {
  const written = () => {
    const out: string[] = [];
    const err: string[] = [];
    const io = {
      stdout: { write: (text: string) => out.push(text) },
      stderr: { write: (text: string) => err.push(text) },
      env: {},
      signal: new AbortController().signal,
    };
    return { out, err, output: createOutput(io, false) };
  };

  it('lets no terminal code, line break or change of direction of a name through, on either stream', () => {
    const { out, err, output } = written();
    const hostile = '\x1b[2J\x9b31mX\rY\u202eZ\u2028';
    output.say(hostile);
    output.warn(`a\n${hostile}`);
    output.result(`${hostile}\nsecond line`, {});
    output.progress(hostile).stop();
    const all = [...out, ...err].join('');
    expect(all.replace(/\n/g, '')).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
    expect(out.join('').split('\n')).toHaveLength(3);
    expect(err[1]).toMatch(/^warning: a\\x0a.*\n$/);
  });

  it('cuts a name of thousands of characters in a table, and keeps its ends', () => {
    const text = table([
      ['name', 'n'],
      [`begin${'x'.repeat(5000)}end`, 1],
    ]);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(130);
    expect(text).toMatch(/begin.* … .*end/);
  });
});

describe('timeLeft', () => {
  it('says the time left by the pace since the work began, and nothing before that is known', () => {
    let now = 0;
    const left = timeLeft(() => now);
    expect(left(0, 100)).toBe('');
    now = 1000;
    expect(left(10, 100)).toBe('');
    now = 10_000;
    expect(left(50, 100)).toBe('10 s left');
    expect(left(100, 100)).toBe('');
  });

  it('does not count work that was there before, as after a break', () => {
    let now = 0;
    const left = timeLeft(() => now);
    left(90, 100);
    now = 5000;
    expect(left(95, 100)).toBe('5 s left');
  });

  it('begins anew when the work does, and takes no work at all', () => {
    let now = 0;
    const left = timeLeft(() => now);
    left(0, 0);
    left(5, 10);
    now = 60_000;
    expect(left(0, 10)).toBe('');
    now = 64_000;
    expect(left(5, 10)).toBe('4 s left');
  });
});

describe('duration', () => {
  it('names two units at most', () => {
    expect([0.2, 59, 80, 120, 3599, 3600, 7500].map(duration)).toEqual([
      '1 s',
      '59 s',
      '1 min 20 s',
      '2 min',
      '59 min',
      '1 h',
      '2 h 5 min',
    ]);
  });
});

describe('withFlags', () => {
  it.each([
    ['too many (option maxUnits)', 'too many (--max-units)'],
    ['`header: false` takes it as a sample', '--no-header takes it as a sample'],
    ['give `header: true`, or `index: none`', 'give --header, or --index none'],
    ['`missing: true` leaves them out', '--missing pairwise leaves them out'],
    ['`labels: my class` takes it', '--labels column:my class takes it'],
    ['`drop: a, b` leaves both out', '--drop a, b leaves both out'],
    ['leave out `stabilitySubsets`', 'leave out --stability'],
    ['with decimal commas, give `decimal: ,`', 'with decimal commas, give --decimal ,'],
    ['no option: `colour: red` of `x`', 'no option: `colour: red` of `x`'],
  ])('%s', (library, line) => expect(withFlags(library)).toBe(line));

  it('are in the notes of --json too, and nothing else there is touched', () => {
    const written: string[] = [];
    const stdout = { write: (text: string) => written.push(text) };
    const output = createOutput(
      { stdout, stderr: stdout, env: {}, signal: new AbortController().signal },
      true,
    );
    output.result('', { notes: ['give `header: true`'], name: '`header: true`' });
    expect(JSON.parse(written[0]!)).toEqual({ notes: ['give --header'], name: '`header: true`' });
  });
});
