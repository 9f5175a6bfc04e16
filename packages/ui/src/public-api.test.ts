import { describe, expect, it } from 'vitest';
import * as drawing from './drawing.js';
import * as main from './index.js';

// Taking a name away, or adding one, is a decision about what others build on: make it here too.

const names = (entry: object) => Object.keys(entry).sort();

describe('the public names', () => {
  it('of @epochscope/ui: elements, views, and five more', () => {
    expect(names(main).filter((name) => !/^Es[A-Z]/.test(name))).toEqual([
      'VIEWS',
      'mergeSelection',
      'setFontFolder',
    ]);
    expect(names(main)).toHaveLength(50);
  });
  it('of @epochscope/ui/drawing', () => {
    expect(names(drawing).join(' ')).toMatchInlineSnapshot(
      `"CLASS_COLOURS CORRECT_COLOUR DIMENSION_TITLES EsFigure EsLoaded FONT MAX_TILES MINUS PAPER PLUS TENDENCY_FIGURES WRONG_COLOUR axisScale bandPath besideScene byPlace centroidPixels chart classColour decimate diverging drawItems drawn enlarged extentOf fitText fontMeasure greyLevel hexColour imagesOf inkOn linePath locateOnLines locatePoint mark matrixPixels measureWith missingGlyphs paintCanvas paintScene painted panelScene paperScene placeTiles pngAddress provenance readFont resolveColour rgbOf rgba robustExtent roundSnapshot scatterOf scenePdf sceneSvg sequential setFontFolder sharedScales sharedUnits shownClusters state tableOf tendencyFigure tileGrid toCsv unitPixels weightColour weightExtent wrapText"`,
    );
  });
});
