import { bench as correlation } from '../kernels/correlation/bench.js';
import { bench as ivat } from '../kernels/ivat/bench.js';
import { bench as labelRegions } from '../kernels/label-regions/bench.js';
import { bench as linkage } from '../kernels/linkage/bench.js';
import { bench as pairwise } from '../kernels/pairwise/bench.js';
import { bench as tfjsColumnSums } from '../kernels/tfjs-column-sums/bench.js';
import { bench as tfjsFilterGradient } from '../kernels/tfjs-conv2d-filter-gradient/bench.js';
import { bench as tfjsInputGradient } from '../kernels/tfjs-conv2d-input-gradient/bench.js';
import { bench as tfjsMatMul } from '../kernels/tfjs-matmul/bench.js';
import { bench as tfjsPoolGradient } from '../kernels/tfjs-max-pool-gradient/bench.js';
import { bench as truncatedSvd } from '../kernels/truncated-svd/bench.js';
import { bench as vat } from '../kernels/vat/bench.js';
import { bench as vatPoints } from '../kernels/vat-points/bench.js';
import type { KernelBench } from './types.js';

/** One line a kernel. */
export const benches: KernelBench[] = [
  pairwise,
  vat,
  vatPoints,
  ivat,
  labelRegions,
  linkage,
  correlation,
  truncatedSvd,
  tfjsColumnSums,
  tfjsFilterGradient,
  tfjsInputGradient,
  tfjsMatMul,
  tfjsPoolGradient,
];
