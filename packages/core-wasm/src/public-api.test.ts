import { describe, expect, it } from 'vitest';
import * as main from './index.js';
import * as reference from './reference.js';
import * as tfjs from './tfjs.js';

// Taking a name away, or adding one, is a decision about what others build on: make it here too.

describe('the public names', () => {
  it('of @epochscope/core-wasm', () => {
    expect(Object.keys(main).sort()).toEqual([
      'Arena',
      'EpochscopeError',
      'LINKAGE_METHODS',
      'METRICS',
      'METRIC_ID',
      'addCorrelationSteps',
      'checkFinite',
      'checkMatrix',
      'checkPairwise',
      'checkPointsLinkage',
      'copheneticDistances',
      'correlation',
      'correlationBytes',
      'correlationSteps',
      'cutByCount',
      'cutByDiameter',
      'cutByHeight',
      'decodeBase64',
      'detectFeatures',
      'finishCorrelation',
      'finishVatPoints',
      'formatBytes',
      'guard',
      'instantiate',
      'ivatCondensed',
      'ivatImage',
      'ivatLookup',
      'ivatMatrix',
      'ivatMatrixInto',
      'ivatValue',
      'kernelModule',
      'labelRegions',
      'labelRegionsBytes',
      'labelRegionsSteps',
      'leafOrder',
      'leafRanges',
      'linkage',
      'linkageBytes',
      'linkageFromPoints',
      'linkageFromPointsBytes',
      'linkageFromPointsSteps',
      'linkageMatrix',
      'linkageOfPairwiseSteps',
      'linkageShares',
      'linkageSteps',
      'loadKernels',
      'pairwise',
      'pairwiseBytes',
      'pairwiseCondensed',
      'pairwiseInto',
      'pairwiseResult',
      'pairwiseSteps',
      'prepareCorrelation',
      'preparePairwise',
      'prepareVatPoints',
      'releaseCorrelation',
      'releasePairwise',
      'releaseVatPoints',
      'runPairwise',
      'runVatPointsWorker',
      'stopVatPoints',
      'truncatedSvd',
      'truncatedSvdBytes',
      'truncatedSvdOperator',
      'truncatedSvdOperatorBytes',
      'truncatedSvdSteps',
      'vatFromMatrix',
      'vatFromMatrixSteps',
      'vatFromPoints',
      'vatPointsBytes',
    ]);
  });
  it('of @epochscope/core-wasm/reference', () => {
    expect(Object.keys(reference).sort()).toEqual([
      'conv2dFilterGradientReference',
      'conv2dInputGradientReference',
      'convOutput',
      'correlationReference',
      'ivatImageReference',
      'labelRegionsReference',
      'linkageReference',
      'matMulReference',
      'maxPoolGradientReference',
      'minimaxReference',
      'pointDistance',
      'svdReference',
      'vatPointsReference',
      'vatReference',
    ]);
  });
  it('of @epochscope/core-wasm/tfjs', () => {
    expect(Object.keys(tfjs).sort()).toEqual(['loadTfjsKernels']);
  });
});
