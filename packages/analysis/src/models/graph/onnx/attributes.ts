import type { OnnxNode } from '../../../formats/onnx/index.js';

/** A number attribute. */
export function number(node: OnnxNode, name: string, otherwise: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'number' ? attribute.value : otherwise;
}

/** A list of numbers; null where there is none. */
export function numbers(node: OnnxNode, name: string): number[] | null {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'numbers' ? attribute.value : null;
}

/** A text attribute. */
export function text(node: OnnxNode, name: string, otherwise: string): string {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'text' ? attribute.value : otherwise;
}
