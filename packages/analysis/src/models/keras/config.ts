import { EpochscopeError } from '@epochscope/core-wasm';
import { isObject, shown } from '../../formats/json.js';

/** Layers of one model. */
export const MAX_KERAS_LAYERS = 10_000;

export interface KerasLayer {
  name: string;
  /** Class name: "Conv2D". */
  kind: string;
  config: Record<string, unknown>;
  /** Names of the layers it reads; null in a sequential model. */
  inputs: string[] | null;
  /** Written by Keras 1 or 2, or tfjs: hard_sigmoid is another one. */
  keras2: boolean;
}

/** The way out of tfjs's "graph models", whose fused operators tf2onnx does not read from model.json (1.17). */
const CONVERTED = 'python -m tf2onnx.convert --saved-model FOLDER --output net.onnx';

/** What a list of TensorFlow's nodes is, by the first that computes. */
function firstNode(nodes: readonly unknown[]): string {
  const first = nodes.find(
    (node): node is { name: unknown; op: unknown } =>
      isObject(node) && !['Const', 'Placeholder'].includes(String(node.op)),
  );
  const at = first ? ` (node ${shown(first.name)}, operator ${shown(first.op)}, …)` : '';
  return `a graph of ${nodes.length} TensorFlow operators${at}, which is not run`;
}

/** The layers of a Keras architecture, in order, and the name of its output (null: the last). Throws `format`, `unsupported`. */
export function layersOfConfig(json: unknown, file: string): { layers: KerasLayer[]; output: string | null } {
  const fail = (message: string, code: 'format' | 'unsupported' = 'format'): never => {
    throw new EpochscopeError(code, `${file}: ${message}`, { file });
  };
  // model.json and model_config wrap it.
  let model: unknown = json;
  let version: string | null = null;
  const seeVersion = () => {
    if (isObject(model) && typeof model.keras_version === 'string') version = model.keras_version;
  };
  seeVersion();
  for (const key of ['modelTopology', 'model_config'])
    if (isObject(model) && isObject(model[key])) {
      model = model[key];
      seeVersion();
    }
  if (isObject(model) && Array.isArray(model.node))
    return fail(`${firstNode(model.node)}; convert what it was made from: ${CONVERTED}`, 'unsupported');
  if (!isObject(model) || typeof model.class_name !== 'string')
    return fail('expected a Keras architecture with a class_name');
  const kind = model.class_name;
  if (!['Sequential', 'Functional', 'Model'].includes(kind))
    return fail(`expected a sequential or functional Keras model, got ${kind.slice(0, 60)}`, 'unsupported');
  const config = model.config;
  const list = Array.isArray(config) ? config : isObject(config) ? config.layers : null;
  if (!Array.isArray(list) || list.length > MAX_KERAS_LAYERS)
    return fail(`expected a list of at most ${MAX_KERAS_LAYERS} layers`);
  const functional = kind !== 'Sequential';
  const seen = new Set<string>();
  const layers = list.map((item: unknown, i): KerasLayer => {
    if (!isObject(item) || typeof item.class_name !== 'string' || !isObject(item.config))
      return fail(`layer ${i}: expected class_name and config`);
    const name = item.config.name ?? item.name;
    if (typeof name !== 'string' || !/^[^/\\\0]{1,150}$/.test(name))
      return fail(`layer ${i}: expected a plain name`);
    if (seen.has(name)) fail(`two layers are named ${name}`);
    seen.add(name);
    if (['Sequential', 'Functional', 'Model'].includes(item.class_name))
      fail(`layer ${name} is a model of its own; flatten it before saving`, 'unsupported');
    const inputs = functional && item.class_name !== 'InputLayer' ? inboundOf(item.inbound_nodes) : null;
    if (inputs && inputs.length !== 1)
      fail(`layer ${name} is used ${inputs.length} times; expected once`, 'unsupported');
    // Keras 3 says of each layer where it comes from ("module"), but for .h5, which says the version.
    const keras2 = version === null ? !('module' in item) : !/^[3-9]/.test(version);
    return { name, kind: item.class_name, config: item.config, inputs: inputs?.[0] ?? null, keras2 };
  });
  const ends = (key: string): string[] => {
    const given = functional && isObject(config) ? config[key] : null;
    if (!Array.isArray(given)) return [];
    return typeof given[0] === 'string'
      ? [given[0]]
      : given.flatMap((end) => (Array.isArray(end) && typeof end[0] === 'string' ? [end[0]] : []));
  };
  for (const key of ['input_layers', 'output_layers'])
    if (ends(key).length > 1) fail(`expected one of ${key}, got ${ends(key).length}`, 'unsupported');
  const output = ends('output_layers')[0] ?? null;
  if (output !== null && !seen.has(output)) fail(`there is no layer ${output}, which output_layers names`);
  return { layers, output };
}

/** Uses of a layer, each the names it reads. Keras 2: [[["a", 0, 0, {}], …]]; Keras 3: [{ args: [tensor or [tensor, …]] }]. */
function inboundOf(nodes: unknown): string[][] {
  if (!Array.isArray(nodes)) return [];
  return nodes.map((node: unknown) => {
    if (isObject(node)) return historiesOf(node.args, 0);
    return Array.isArray(node)
      ? node.flatMap((source: unknown) =>
          Array.isArray(source) && typeof source[0] === 'string' ? [source[0]] : [],
        )
      : [];
  });
}

function historiesOf(value: unknown, depth: number): string[] {
  if (depth > 4) return [];
  if (Array.isArray(value)) return value.flatMap((item) => historiesOf(item, depth + 1));
  const history = isObject(value) && isObject(value.config) ? value.config.keras_history : null;
  return Array.isArray(history) && typeof history[0] === 'string' ? [history[0]] : [];
}
