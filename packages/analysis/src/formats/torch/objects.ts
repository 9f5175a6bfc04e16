import { PickleCall, PickleDict, PickleGlobal, PickleTuple } from '../pickle/index.js';

// What the inert objects of a pickle stand for, where PyTorch wrote them.

export const nameOf = (value: unknown): string => (value instanceof PickleGlobal ? value.name : '');

/** A dict, an OrderedDict or a defaultdict; null for anything else. */
export function dictOf(value: unknown): PickleDict | null {
  if (value instanceof PickleDict) return value;
  if (
    value instanceof PickleCall &&
    ['collections.OrderedDict', 'collections.defaultdict'].includes(nameOf(value.callee))
  )
    return value.items ?? new PickleDict();
  return null;
}

/** What a call that builds a tensor is given. */
export interface TensorParts {
  storage: unknown;
  offset: unknown;
  shape: unknown;
  stride: unknown;
  dtype: unknown;
  metadata: unknown;
}

/** What a call would rebuild, where it is one of PyTorch's own tensor builders. */
export function tensorParts(value: unknown, depth = 0): TensorParts | null {
  if (!(value instanceof PickleCall) || !(value.args instanceof PickleTuple) || depth > 4) return null;
  const args = value.args.items;
  switch (nameOf(value.callee)) {
    case 'torch._utils._rebuild_parameter':
    case 'torch._utils._rebuild_parameter_with_state':
      return tensorParts(args[0], depth + 1);
    case 'torch._tensor._rebuild_from_type_v2':
      return tensorParts(new PickleCall(args[0], args[2]), depth + 1);
    case 'torch._utils._rebuild_tensor':
    case 'torch._utils._rebuild_tensor_v2':
      return {
        storage: args[0],
        offset: args[1],
        shape: args[2],
        stride: args[3],
        dtype: null,
        metadata: args[6],
      };
    case 'torch._utils._rebuild_tensor_v3':
      return {
        storage: args[0],
        offset: args[1],
        shape: args[2],
        stride: args[3],
        dtype: args[6],
        metadata: args[7],
      };
    default:
      return null;
  }
}

/** What would build a tensor of a kind that is not read, also where it stands in a tuple; null for anything else. */
export function builderOf(value: unknown, depth = 0): string | null {
  if (value instanceof PickleCall)
    return /^torch\._/.test(nameOf(value.callee)) ? nameOf(value.callee) : null;
  const items = value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : [];
  for (const item of depth < 3 ? items.slice(0, 8) : []) {
    const builder = builderOf(item, depth + 1);
    if (builder) return builder;
  }
  return null;
}

/** For messages: what a pickle holds at its top. */
export function describe(value: unknown): string {
  const short = (item: unknown): string => {
    if (dictOf(item)) return 'a dict';
    if (tensorParts(item)) return 'a tensor';
    if (item instanceof PickleCall) return `a Python object of class ${nameOf(item.callee)}`;
    return Array.isArray(item) ? 'a list' : item === null ? 'None' : typeof item;
  };
  const dict = dictOf(value);
  if (!dict) return short(value);
  // A key may be a list that holds itself: only texts and numbers are shown.
  const named = (key: unknown) =>
    typeof key === 'string' || typeof key === 'number' ? `${key}`.slice(0, 40) : short(key);
  const keys: string[] = [];
  for (const [key, item] of dict.map) {
    if (keys.length === 6) break;
    keys.push(`${named(key)} (${short(item)})`);
  }
  return keys.length ? `a dict of ${keys.join(', ')}${dict.map.size > 6 ? ', …' : ''}` : 'an empty dict';
}
