import type { OnnxNode } from '../../../formats/onnx/index.js';
import { INPUT } from '../types.js';

const isPlain = (name: string) => /^[^/\\\0]{1,200}$/.test(name) && name !== '.' && name !== '..';

/** Gives nodes of our graph names of their own, by the weights they read ("conv1.weight" → conv1) or what ONNX calls them. */
export class Names {
  private readonly taken = new Set<string>([INPUT]);
  private readonly counts = new Map<string, number>();

  of(node: OnnxNode, weights?: string): string {
    const layer = /^([\w.-]+)\.(?:weight|kernel)$/.exec(weights ?? '')?.[1];
    // PyTorch's newer exporter numbers its nodes ("node_relu_1", "n4"); what they give is called after the code ("relu_1").
    const own = /^(node_.*|n\d+(_\d+)?)$/.test(node.name) ? '' : node.name;
    const given = (own || node.outputs[0] || node.name || node.op)
      .replace(/^[/.]+/, '')
      .replace(/[/\\\0:]+/g, '.');
    const wanted = [layer, given, node.op.toLowerCase()].find((name) => name !== undefined && isPlain(name))!;
    return this.own(wanted.slice(0, 150));
  }

  own(wanted: string): string {
    let name = wanted;
    for (let i = this.counts.get(wanted) ?? 2; this.taken.has(name); i++) {
      name = `${wanted}_${i}`;
      this.counts.set(wanted, i + 1);
    }
    this.taken.add(name);
    return name;
  }
}
