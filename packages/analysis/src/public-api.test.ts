import { describe, expect, it } from 'vitest';
import * as batch from './batch/index.js';
import * as formats from './formats.js';
import * as main from './index.js';
import * as methods from './methods.js';
import * as models from './models.js';
import * as results from './results/index.js';
import * as runs from './runs.js';
import * as workflows from './workflows.js';

// Taking a name away, or adding one, is a decision about what others build on: make it here too.

const names = (entry: object) => Object.keys(entry).sort().join(' ');

describe('the public names', () => {
  it('of @epochscope/analysis', () => {
    expect(names(main)).toMatchInlineSnapshot(
      `"EpochscopeError activityOfRun captureRun changeOfRun createEngine createInlineEngine createRun difference differenceMapOfRun differenceOfFiles differenceOfRun differenceOfRuns directoryStore exposeCalls featuresOfRun filesOfDrop filesStore geometryOfRun httpStore hubStore hubStoreIfOne importRun listResults locateOfRun memoryStore modulesOfRun openFile openRun opfsStore overlay path pathOfFile pathOfRun pruneOfRun readResult recordFit remoteCalls resumeRun setDefaultThreads setReadLimits storeOf tendency tendencyOfFile tendencyOfRun toolInfo tracksOfRun trainRun watchRun withFile within writeResult zipOf zipStore"`,
    );
  });
  it('of @epochscope/analysis/formats', () => {
    expect(names(formats)).toMatchInlineSnapshot(
      `"DTYPE_BYTES TOKEN_CHOICES bytesSource compareRows datasetsOf dtypeOf elementCount encodeNpy encodeNpz encodeSafetensors headNorms httpSource openMatrix readDissimilarities readHdf5 readHdf5Dataset readInput readKerasFile readKerasWeights readLabels readNpy readNpyHeader readNpyRows readNpz readNpzDirectory readNpzEntry readOnnx readPoints readSafetensors readSafetensorsEntry readSafetensorsHeader readShardIndex readSharded readTable readTfjsModel readTorch readTorchEntry readTorchHeader readWholeNumbers selectChannel selectTokens tensorToMatrix toFloat32 tokenAxis tokenCount tokensAsSamples"`,
    );
  });
  it('of @epochscope/analysis/batch', () => {
    expect(names(batch)).toMatchInlineSnapshot(
      `"BATCH_FORMAT arrayForm blocksOfOrder computePoints computeRunPart faultOfPart joinPoints joinRunParts keyOf mergeBytes missingTasks notWorthARetry parseArray planPoints pointsOfTask projectiveCover readBatchPlan taskBytes taskSeconds tasksOfPoints tasksOfRun wavesOf writeBatchPlan writePart writePointsPart"`,
    );
  });
  it('of @epochscope/analysis/methods', () => {
    expect(names(methods)).toMatchInlineSnapshot(
      `"AGREEMENT_PAIRS INTERVALS LEAST_SAMPLES NO_CLASS PAPER_OPTIONS PERTURBATION_LENGTHS SERIES_EXCESS TANGENTS TENDENCY_METRICS THETAS accuracyAtRemoval adjustedRandIndex alarmText alignOrder alignPanels alignedView alignmentSize alignmentSteps analyseActivity analyseChange analyseDifference analyseFeatures analyseModules analyseTendency analyseTracks applyMask asKernel asPictures ascendingOrder assignFree blockAt blockLabels blockStability blocksCaption blocksSentence changeByParts changeStatistics checkSeries checkSpanningTree choosePaths chooseRegions chooseSamples classTree coreOf curvatureAlong cutModules deadShare defaultSmallest differenceMap differenceOf differenceSentence differenceSide dimensionsOf distanceOf effectiveRank equalAccuracy featureDates featuresSentence figureName findBlocks findBridges findRegions geometryOfInput hierarchyDistances hierarchyTest isExplicit jacobianOf joinThinning labelScores layerFinder linearCka linkModules longestBars magnitudeMask manifolds matchClusters minimaxPath nearestRows normalisedMutualInformation orderCorrelation overlapOf parseRule participationRatio pathSentence pictureLayout placeMarks position principalCosines proposeTheta pruneRounds purity random readSpanningTree regionsLeft removalShares removeRegions rimScore selectivityIndex shiftStatistics sideOf silhouette spectrumOf spreadOf summariseAlignment summarisePerturbation summariseSpectrum sweepTheta tangentVectors thinOrder thinPanel thinTendency thinnedAgreement thinningSteps tracksByParts transitionMatrix transitionOf unitFeatures unitLayers unitName unitOutputs unitTotal unitsLayout whereHolds witnessSentence"`,
    );
  });
  it('of @epochscope/analysis/models', () => {
    expect(names(models)).toMatchInlineSnapshot(
      `"DOWNLOADS GraphRunner MODEL_NAMES alexnet buildModel bundledMnist captureGraph captureOutputs cifar10Folder downloadDataset evaluate graphOfKeras graphOfModel graphOfOnnx graphOfRun graphOfSpec inputScaleOf isActivation isGraphSpec loadWeights lossGradient mnistFolder modularAddition openDataset prepareTf pretrain randomAlexnet readPredictions shapesOf smoothJvp snapshotPlan train weightsOf"`,
    );
  });
  it('of @epochscope/analysis/results', () => {
    expect(names(results)).toMatchInlineSnapshot(
      `"RESULT_FORMAT SERIES_EXCESS alignedView blocksCaption blocksSentence decodeAny decodeResult differenceSentence encodeBinary encodeInline featureDates featuresSentence imagesFrom inlineBytes isBinary isUnstable longestBars outlineOf parseResult pathSentence witnessSentence"`,
    );
  });
  it('of @epochscope/analysis/runs', () => {
    expect(names(runs)).toMatchInlineSnapshot(
      `"MAX_RESULT_JSON RUN_FORMAT canonicalWeights checkResultFolder checkWeights identityOf imagesOf inputOfResult isSafeName labelsOf pictureShape planImport readArchitecture readManifest readWeights recogniseRun resultPath writeIndex writeOutputs writePredictions"`,
    );
  });
  it('of @epochscope/analysis/workflows', () => {
    expect(names(workflows)).toMatchInlineSnapshot(
      `"ACTIVITY_DEFAULTS CAPTURE_DEFAULTS CHANGE_DEFAULTS COMPARISON_FORMAT DIFFERENCE_DEFAULTS DIFFERENCE_MAP_DEFAULTS FEATURES_DEFAULTS GEOMETRY_DEFAULTS IMPORT_DEFAULTS LOCATE_DEFAULTS MODULES_DEFAULTS PATH_DEFAULTS PLAN_FORMAT PRUNE_DEFAULTS TENDENCY_DEFAULTS TRACKS_DEFAULTS TRAIN_DEFAULTS TRANSFORMER_DEFAULTS WATCH_DEFAULTS activityOfRun activityWorkflow captureRun captureWorkflow changeOfRun changeWorkflow checkMemory checkOfRun checkTreeOfFile chooseSnapshots chosenSamples compareRankings defaultMemory describeImport difference differenceMapOfRun differenceMapWorkflow differenceOfFiles differenceOfRun differenceOfRuns differenceWorkflow featuresOfRun featuresWorkflow geometryOfAlexnet geometryOfRun geometryWorkflow importRun importWorkflow locateOfRun locateWorkflow matrixRun modulesOfRun modulesWorkflow paceClock path pathOfFile pathOfRun pathWorkflow planWorkflow pruneOfRun pruneWorkflow prunedRun prunedSnapshot readArray readNumbers runPlan runWorkflow setDefaultMemory tendency tendencyOfFile tendencyOfFileWorkflow tendencyOfRun tendencyWorkflow tracksOfRun tracksWorkflow trainDefaults trainRun trainWorkflow watchRun watchWorkflow withRows"`,
    );
  });
});
