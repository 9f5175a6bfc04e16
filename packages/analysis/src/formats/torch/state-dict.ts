import { rest } from '../budget.js';
import { PickleDict } from '../pickle/index.js';
import { dictOf, tensorParts } from './objects.js';

/** Dicts in dicts. */
export const MAX_TORCH_NESTING = 8;

/** Where training scripts put the weights in a larger dict, the most telling first. */
export const STATE_DICTS = [
  'state_dict',
  'model_state_dict',
  'model_state',
  'model',
  'net',
  'module',
  'weights',
  'params',
];
/** Keys of copies: averages of the weights. */
const COPIES = /(^|[_.])(ema|swa|avg|averaged|teacher)([_.]|$)/i;

/** Whether a dict holds a tensor at any depth. Each dict is looked at once, wherever it is remembered. */
async function holdsTensors(
  dict: PickleDict,
  file: string,
  seen = new Set<PickleDict>(),
  depth = 0,
): Promise<boolean> {
  if (seen.has(dict) || depth > MAX_TORCH_NESTING) return false;
  seen.add(dict);
  return someEntry(dict, file, async ([, value]) => {
    const inner = dictOf(value);
    return inner ? holdsTensors(inner, file, seen, depth + 1) : tensorParts(value) !== null;
  });
}

type Entry = [key: unknown, value: unknown];
/** Entries between two looks at the clock. */
const TURN = 10_000;

/** Whether an entry passes; others get their turn in between. */
async function someEntry(
  dict: PickleDict,
  file: string,
  test: (entry: Entry) => boolean | Promise<boolean>,
): Promise<boolean> {
  let looked = 0;
  for (const entry of dict.map) {
    if (++looked % TURN === 0) await rest(file);
    const passes = test(entry);
    if (passes === true || (passes && (await passes))) return true;
  }
  return false;
}

/** A test that looks at each dict once, in however many places it is remembered. */
function once(test: (entry: Entry) => boolean): (dict: PickleDict | null, file: string) => Promise<boolean> {
  const known = new WeakMap<PickleDict, boolean>();
  return async (dict, file) => {
    if (dict === null) return false;
    let found = known.get(dict);
    if (found === undefined) {
      found = await someEntry(dict, file, test);
      known.set(dict, found);
    }
    return found;
  };
}

/** A state dict as PyTorch makes them: tensors by dotted names. */
const isFlat = once(
  ([key, value]) => typeof key === 'string' && key.includes('.') && tensorParts(value) !== null,
);
const holdsTensor = once(([, value]) => tensorParts(value) !== null);

export interface FoundStateDict {
  dict: PickleDict;
  path: string[];
  numbers: Record<string, number>;
  beside: string[];
}

/** The weights in what a training script saved; null where there are none. */
export async function findStateDict(root: unknown, file: string): Promise<FoundStateDict | null> {
  const numbers: Record<string, number> = Object.create(null);
  const path: string[] = [];
  let beside: string[] = [];
  let dict = dictOf(root);
  for (let depth = 0; dict && depth < MAX_TORCH_NESTING; depth++) {
    const inside: PickleDict = dict;
    const loose = await holdsTensor(inside, file);
    if (await isFlat(inside, file)) return { dict: inside, path, numbers, beside };
    // A best score or a generator's state may be a tensor too: what is named or looks like a state dict goes first.
    const states: string[] = [];
    let nests = inside.map.size > 0;
    let nestsTensor = false;
    for (const [name, value] of inside.map) {
      const inner = dictOf(value);
      nests &&= inner !== null;
      if (!inner) continue;
      await rest(file);
      if (typeof name === 'string' && (await isFlat(inner, file))) states.push(name);
      nestsTensor ||= await holdsTensor(inner, file);
    }
    let named: string | undefined;
    for (const name of STATE_DICTS) {
      const inner = dictOf(inside.map.get(name));
      if (!inner || !(states.includes(name) || (!states.length && (await holdsTensors(inner, file)))))
        continue;
      named = name;
      break;
    }
    const own = named === undefined ? states.filter((name) => !COPIES.test(name)) : [named];
    const key = own.length === 1 ? own[0]! : own.length || !states.length ? undefined : states[0]!;
    if (key === undefined && own.length < 2) {
      // Parameters by module: { encoder: { weight: … } }.
      return loose || (nests && nestsTensor) ? { dict: inside, path, numbers, beside } : null;
    }
    for (const [name, value] of inside.map)
      if (typeof name === 'string' && typeof value === 'number' && Number.isFinite(value))
        numbers[name] = value;
    const taken = new Set([key, ...own]);
    beside = [...beside, ...states.filter((name) => !taken.has(name))];
    if (key === undefined) {
      // Nets that are trained together: { generator: …, discriminator: …, epoch }.
      const all = new PickleDict();
      for (const name of own) all.map.set(name, inside.map.get(name));
      return { dict: all, path, numbers, beside };
    }
    path.push(key);
    dict = dictOf(inside.map.get(key));
  }
  return null;
}
