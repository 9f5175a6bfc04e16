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
function holdsTensors(dict: PickleDict, seen = new Set<PickleDict>(), depth = 0): boolean {
  if (seen.has(dict) || depth > MAX_TORCH_NESTING) return false;
  seen.add(dict);
  return [...dict.map.values()].some((value) => {
    const inner = dictOf(value);
    return inner ? holdsTensors(inner, seen, depth + 1) : tensorParts(value) !== null;
  });
}

/** A test that looks at each dict once, in however many places it is remembered. */
function once(
  test: (entry: [key: unknown, value: unknown]) => boolean,
): (dict: PickleDict | null) => boolean {
  const known = new WeakMap<PickleDict, boolean>();
  return (dict) => {
    if (dict === null) return false;
    let found = known.get(dict);
    if (found === undefined) {
      found = false;
      for (const entry of dict.map)
        if (test(entry)) {
          found = true;
          break;
        }
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
export function findStateDict(root: unknown): FoundStateDict | null {
  const numbers: Record<string, number> = Object.create(null);
  const path: string[] = [];
  let beside: string[] = [];
  let dict = dictOf(root);
  for (let depth = 0; dict && depth < MAX_TORCH_NESTING; depth++) {
    const inside: PickleDict = dict;
    const loose = holdsTensor(inside);
    if (isFlat(inside)) return { dict: inside, path, numbers, beside };
    // A best score or a generator's state may be a tensor too: what is named or looks like a state dict goes first.
    const states = [...inside.map].flatMap(([name, value]) =>
      typeof name === 'string' && isFlat(dictOf(value)) ? [name] : [],
    );
    const named = STATE_DICTS.find((name) => {
      const inner = dictOf(inside.map.get(name));
      return inner && (states.includes(name) || (!states.length && holdsTensors(inner)));
    });
    const own = named === undefined ? states.filter((name) => !COPIES.test(name)) : [named];
    const key = own.length === 1 ? own[0]! : own.length || !states.length ? undefined : states[0]!;
    if (key === undefined && own.length < 2) {
      // Parameters by module: { encoder: { weight: … } }.
      const nested =
        loose ||
        (inside.map.size > 0 &&
          [...inside.map.values()].every((value) => dictOf(value)) &&
          [...inside.map.values()].some((value) => holdsTensor(dictOf(value))));
      return nested ? { dict: inside, path, numbers, beside } : null;
    }
    for (const [name, value] of inside.map)
      if (typeof name === 'string' && typeof value === 'number' && Number.isFinite(value))
        numbers[name] = value;
    beside = [...beside, ...states.filter((name) => name !== key && !own.includes(name))];
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
