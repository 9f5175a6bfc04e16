import type { GraphKind } from '../types.js';
import { arithmetic } from './arithmetic.js';
import { convolutions } from './convolution.js';
import type { OpDefinition } from './definition.js';
import { elementwise } from './elementwise.js';
import { layouts } from './layout.js';
import { normalisations } from './normalisation.js';
import { pools } from './pooling.js';
import { products } from './products.js';
import { recurrents } from './recurrent.js';
import { resizes } from './resize.js';

const TABLE: ReadonlyMap<string, OpDefinition> = new Map(
  Object.entries({
    ...elementwise,
    ...arithmetic,
    ...products,
    ...convolutions,
    ...pools,
    ...normalisations,
    ...layouts,
    ...resizes,
    ...recurrents,
  }),
);

/** What is known of a kind of node; undefined for a kind that is not known. */
export const opOf = (kind: GraphKind): OpDefinition | undefined => TABLE.get(kind);
