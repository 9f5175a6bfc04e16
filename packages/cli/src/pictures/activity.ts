import type { ActivityResult } from '@epochscope/analysis';
import { EsActivityBars, EsSelectivity } from '@epochscope/ui';
import type { Picture } from './index.js';

/** Filters of a layer that are drawn; the arrays hold all. */
const MOST = 64;

/** Per panel the filters' activity by class ("activity-R1-epoch-0010"), and the selectivity of all panels. */
export function activityPictures(result: ActivityResult): Picture[] {
  const pictures: Picture[] = result.panels
    .filter(({ filters, undefinedClasses, used }) => filters > 0 && undefinedClasses.length < used.length)
    .map((data) => ({
      name: `activity-${data.layer}-${data.snapshot.id}`,
      figure: Object.assign(new EsActivityBars(), { data, result, classes: result.classes, most: MOST }),
    }));
  if (result.panels.some(({ distribution }) => distribution.median.value !== null))
    pictures.push({
      name: 'selectivity',
      figure: Object.assign(new EsSelectivity(), { data: result.panels, result }),
    });
  return pictures;
}
