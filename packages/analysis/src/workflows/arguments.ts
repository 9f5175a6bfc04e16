import { guard } from '@epochscope/core-wasm';
import { isObject as isRecord, shown } from '../formats/json.js';

/** What a message shows of a value of any kind: "R4" in quotes, what is no plain value by its kind. */
export function shownValue(value: unknown): string {
  if (Array.isArray(value)) return value.length ? 'a list' : 'an empty list';
  if (!isRecord(value)) return shown(value);
  return 'then' in value ? 'a promise (await it)' : `an object (${value.constructor?.name ?? 'no class'})`;
}

const isObject = (value: unknown): value is Record<string, unknown> => isRecord(value) && !('then' in value);

/** Throws `argument` for options that are none: `tendency(x, 5)`. */
export function checkObject(value: unknown, what: string): void {
  guard(isObject(value), 'argument', () => `${what}: expected an object, got ${shownValue(value)}`, {
    got: shownValue(value),
  });
}

/**
 * Throws `argument` for an option of another kind than its default: a text where numbers belong, a name where a list of names belongs.
 * Values of the right kind are the method's own to check.
 */
export function checkKinds(method: string, defaults: object, given: object): void {
  const known = defaults as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    const usual = known[name];
    if (value === undefined || (value === null && (usual === null || typeof usual === 'number'))) continue;
    const refuse = (expected: string): never =>
      guard(false, 'argument', () => `${method}: ${name}: expected ${expected}, got ${shownValue(value)}`, {
        option: name,
        got: shownValue(value),
      }) as never;
    if (name === 'layers' && !(isNames(value) && value.every((layer) => typeof layer === 'string')))
      refuse('a list of layers\' names (["R4"]), or null');
    if (name === 'snapshots' && Array.isArray(usual) && !isNames(value))
      refuse('a list of ids, epochs, "first", "last", "init" or "all" (["last"])');
    if (name === 'marks' && !Array.isArray(value)) refuse('a list of rules, or null');
    if (name === 'name' && (typeof value !== 'string' || value === '')) refuse("the result's name");
    if (typeof usual === 'boolean' && typeof value !== 'boolean') refuse('true or false');
    if (typeof usual === 'number' && typeof value !== 'number') refuse('a number');
  }
}

const isNames = (value: unknown): value is unknown[] => Array.isArray(value) && value.length > 0;

/** Throws `argument` where a workflow is given no run (or what else it works on), as when `await` was forgotten. */
export function checkSubject(method: string, subject: unknown): void {
  guard(
    isObject(subject),
    'argument',
    () => `${method}: expected a run, as \`await openRun(…)\` gives it, got ${shownValue(subject)}`,
    { got: shownValue(subject) },
  );
}

/** Throws `argument` for what a workflow takes beside its options. */
export function checkHow(method: string, how: object): void {
  checkObject(how, `${method}, last argument`);
  const { engine, signal, memoryLimit, parts, ...rest } = how as Record<string, unknown>;
  const expect = (holds: boolean, name: string, expected: string, value: unknown) =>
    guard(holds, 'argument', () => `${method}: ${name}: expected ${expected}, got ${shownValue(value)}`, {
      option: name,
      got: shownValue(value),
    });
  if (engine !== undefined)
    expect(isObject(engine) && typeof engine.vat === 'function', 'engine', 'what createEngine gives', engine);
  if (signal !== undefined)
    expect(isObject(signal) && 'aborted' in signal, 'signal', 'an AbortSignal', signal);
  if (memoryLimit !== undefined)
    expect(
      typeof memoryLimit === 'number' && memoryLimit > 0,
      'memoryLimit',
      'a number of bytes',
      memoryLimit,
    );
  if (parts !== undefined)
    expect(
      isObject(parts) && isObject(parts.store) && typeof parts.folder === 'string',
      'parts',
      '{ store, folder }',
      parts,
    );
  for (const name of ['onProgress', 'onWarning', 'onNote', 'onPart', 'dataset', 'elsewhere'])
    if (rest[name] !== undefined) expect(typeof rest[name] === 'function', name, 'a function', rest[name]);
}
