export { graphOfModel } from './from-model.js';
export { GraphRunner, type LinearisedGraph } from './runner.js';
export { shapesOf } from './shapes.js';
export {
  type Graph,
  type GraphKind,
  type GraphNode,
  type GraphOp,
  INPUT,
  type Padding,
  type Pair,
} from './types.js';
