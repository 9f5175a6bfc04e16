import type { TendencyZoomDetail } from './elements/es-tendency-image/index.js';
import type { ExportDetail } from './figure/element.js';
import type { Selection } from './selection.js';

/** What `es-select` tells: the fields of a selection that changed, and what some elements add. */
export interface SelectDetail extends Selection {
  /** es-tendency-image: position along the order, and the block that holds it. */
  position?: number;
  block?: number;
  /** Elements of modules: a cluster of the snapshot. */
  cluster?: number;
  /** es-prune-rounds. */
  round?: number;
}

/** Events that elements fire, by name. */
export interface EpochscopeEvents {
  'es-select': CustomEvent<SelectDetail>;
  /** What the pointer is on in a figure: a sample, class, unit, snapshot; null when it leaves. */
  'es-point': CustomEvent<Selection | null>;
  'es-export': CustomEvent<ExportDetail>;
  'es-zoom': CustomEvent<TendencyZoomDetail>;
}
