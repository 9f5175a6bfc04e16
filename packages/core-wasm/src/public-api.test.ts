import { describe, expect, it } from 'vitest';
import * as main from './index.js';
import * as jobs from './jobs.js';
import * as reference from './reference.js';
import * as tfjs from './tfjs.js';

// Taking a name away, or adding one, is a decision about what others build on: make it here too.

describe('the public names', () => {
  it('of @epochscope/core-wasm', () => {
    expect(Object.keys(main).sort()).toEqual([
      'EpochscopeError',
      'LINKAGE_METHODS',
      'METRICS',
      'copheneticDistances',
      'correlation',
      'cutByCount',
      'cutByDiameter',
      'cutByHeight',
      'detectFeatures',
      'formatBytes',
      'guard',
      'ivatCondensed',
      'ivatImage',
      'ivatLookup',
      'ivatMatrix',
      'ivatValue',
      'labelRegions',
      'leafOrder',
      'leafRanges',
      'linkage',
      'linkageFromPoints',
      'linkageMatrix',
      'loadKernels',
      'pairwise',
      'pairwiseCondensed',
      'printable',
      'truncatedSvd',
      'truncatedSvdOperator',
      'vatFromMatrix',
      'vatFromPoints',
    ]);
  });
  it('of @epochscope/core-wasm/jobs', () => {
    expect(Object.keys(jobs).sort()).toEqual([
      'Arena',
      'METRIC_ID',
      'addCorrelationSteps',
      'checkCore',
      'checkFinite',
      'checkMatrix',
      'checkPairwise',
      'checkPointsLinkage',
      'correlationBytes',
      'correlationSteps',
      'decodeBase64',
      'doneOfVatPoints',
      'edgesOfVatPointsFit',
      'finishCorrelation',
      'finishVatPoints',
      'firstNotFinite',
      'instantiate',
      'ivatMatrixInto',
      'kernelModule',
      'labelRegionsBytes',
      'labelRegionsSteps',
      'lightEdgesOfVatPoints',
      'linkageBytes',
      'linkageFromPointsBytes',
      'linkageFromPointsSteps',
      'linkageOfPairwiseSteps',
      'linkageShares',
      'linkageSteps',
      'pairwiseBytes',
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
      'sampleOfVatPoints',
      'stopVatPoints',
      'truncatedSvdBytes',
      'truncatedSvdOperatorBytes',
      'truncatedSvdSteps',
      'vatFromMatrixSteps',
      'vatPointsBytes',
      'vatPointsPlan',
      'vatPointsWeight',
    ]);
  });
  it('of @epochscope/core-wasm/reference', () => {
    expect(Object.keys(reference).sort()).toEqual([
      'columnSumsReference',
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
