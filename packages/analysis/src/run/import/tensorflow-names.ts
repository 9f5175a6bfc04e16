// Variables of a TensorFlow checkpoint or SavedModel as `tf.train.list_variables` names them: the way to each through the saved
// object, "model/layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE".

const VALUE = '/.ATTRIBUTES/VARIABLE_VALUE';
/** What an optimizer keeps for itself (Keras 2 and 3), and the counter of saves. */
const OPTIMIZERS =
  /(^|\/)(\.OPTIMIZER_SLOT\/|optimizer\/(_variables\/|_?(iterations?|iter|learning_rate|decay|momentum|beta_[12])$)|save_counter$)/;

/**
 * Variables by plain names, without the optimizer's own and without lists that name all again; Keras 3 names the model's weights by its
 * optimizer's list. Names that are not all TensorFlow's are left as they are.
 */
export function plainVariables<T>(arrays: ReadonlyMap<string, T>): {
  arrays: ReadonlyMap<string, T>;
  optimizers: string[];
} {
  const names = [...arrays.keys()];
  if (!names.length || !names.every((name) => name.endsWith(VALUE))) return { arrays, optimizers: [] };
  const own = names.map((name) => [name, name.slice(0, -VALUE.length)] as const);
  const listed = own.some(([, name]) => /^variables\/\d+$/.test(name));
  const optimizers = own.flatMap(([, name]) => (OPTIMIZERS.test(name) ? [name] : []));
  const kept = own.filter(
    ([, name]) => !OPTIMIZERS.test(name) && !(listed && /^_all_variables\/\d+$/.test(name)),
  );
  const short = (name: string) =>
    name.replace(/^((model\/)?optimizer\/)?_trainable_variables\//, 'variables/');
  return { arrays: new Map(kept.map(([name, plain]) => [short(plain), arrays.get(name)!])), optimizers };
}
