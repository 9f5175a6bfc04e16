export { graphOfModel } from './from-model.js';
export { graphOfRun, inputScaleOf } from './of-run.js';
export { graphOfOnnx } from './onnx/index.js';
export { isActivation } from './ops/elementwise.js';
export { GraphRunner, type LinearisedGraph } from './runner.js';
export { shapesOf } from './shapes.js';
export { smoothJvp } from './smooth.js';
export {
  firstReal,
  type GraphSpec,
  graphOfSpec,
  isGraphSpec,
  layersOfGraph,
  specOf,
} from './spec.js';
export {
  type Graph,
  type GraphKind,
  type GraphNode,
  type GraphOp,
  INPUT,
} from './types.js';
export { scoresNode, type WeightedLayer, weightedLayers } from './weighted.js';
