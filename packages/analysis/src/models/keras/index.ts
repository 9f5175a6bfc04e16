import { shown } from '../../formats/json.js';
import type { Tensor } from '../../formats/types.js';
import { shapeOf, shapesOf } from '../graph/shapes.js';
import { type Graph, type GraphNode, INPUT } from '../graph/types.js';
import { type KerasLayer, layersOfConfig } from './config.js';
import { stepsOf } from './layers.js';
import { LayerScope, refuse } from './scope.js';

/**
 * A Keras model (its to_json(), config.json or a tfjs modelTopology; Keras 1 to 3, sequential or functional, one input, one
 * output) as a graph. `weights` by "<layer>.<variable>": each layer's own. Layers keep their names; one with an activation
 * of its own gives two nodes, "name.linear" and "name"; a separable convolution "name.depthwise" before them. Throws `unsupported` naming the layer,
 * `missing`, `shape`, `format`.
 */
export function graphOfKeras(config: unknown, weights: ReadonlyMap<string, Tensor>, file: string): Graph {
  const { layers, output } = layersOfConfig(config, file);
  const kept = new Map<string, Tensor>();
  const nodes: GraphNode[] = [];
  const graph: Graph = { inputShape: [], nodes, weights: kept };
  const shapes = new Map<string, number[]>();
  let inputName = '';
  for (const layer of layers) {
    if (layer.kind === 'InputLayer') {
      graph.inputShape = inputShapeOf(layer, file);
      inputName = layer.name;
      shapes.set(INPUT, graph.inputShape);
      continue;
    }
    if (!shapes.size) {
      // A sequential model may tell its input by its first layer.
      graph.inputShape = inputShapeOf(layer, file);
      shapes.set(INPUT, graph.inputShape);
    }
    const inputs = (layer.inputs ?? [nodes[nodes.length - 1]?.name ?? INPUT]).map((name) =>
      name === inputName ? INPUT : name,
    );
    const sizes = inputs.map(
      (name) => shapes.get(name) ?? refuse(layer, file, `its input ${name} does not come before it`),
    );
    const steps = stepsOf(new LayerScope(layer, sizes, weights, kept, file));
    let from = inputs;
    steps.forEach(({ part = 'linear', ...step }, i) => {
      const name = i === steps.length - 1 ? layer.name : `${layer.name}.${part}`;
      const node = { name, inputs: from, ...step } as GraphNode;
      shapes.set(
        name,
        shapeOf(
          graph,
          node,
          from.map((source) => shapes.get(source)!),
        ),
      );
      nodes.push(node);
      from = [name];
    });
  }
  const at = output === null ? nodes.length - 1 : nodes.findIndex(({ name }) => name === output);
  const whole = { ...graph, nodes: nodes.slice(0, at + 1) };
  shapesOf(whole);
  return whole;
}

function inputShapeOf(layer: KerasLayer, file: string): number[] {
  const shape = layer.config.batch_shape ?? layer.config.batch_input_shape ?? layer.config.batchInputShape;
  const sides = Array.isArray(shape) ? shape.slice(1) : [];
  if (!sides.length || sides.length > 3 || !sides.every((side) => Number.isSafeInteger(side) && side > 0))
    return refuse(layer, file, `expected the shape of one sample, got ${shown(shape)}`);
  return sides as number[];
}
