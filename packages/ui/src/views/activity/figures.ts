import type { ActivityPanel } from '@epochscope/analysis/results';
import { fill, scenePlot, TEXT, words } from '../../scene/plot.js';
import type { Scene, SceneItem } from '../../scene/types.js';

const MARGIN = 24;
const [WIDTH, HEIGHT] = [380, 220];
const ACROSS = 4;
const BAR = '#2a62b0';

/** Paper, figures 7 and 8: a chart a filter, a bar a class, one scale for all. */
export function activityFigure(panel: ActivityPanel, classes: readonly string[], title: string): Scene {
  const across = Math.min(ACROSS, Math.max(1, panel.filters));
  const rows = Math.ceil(panel.filters / across);
  const top = MARGIN + TEXT + 18;
  const items: SceneItem[] = [words(MARGIN, MARGIN + TEXT, title)];
  const gone = new Set(panel.undefinedClasses.map((one) => one.class));
  for (let f = 0; f < panel.filters; f++) {
    const [x0, y0] = [MARGIN + (f % across) * WIDTH, top + Math.floor(f / across) * HEIGHT];
    const plot = scenePlot(
      [x0, y0 + 4, WIDTH - 16, HEIGHT - 20],
      { domain: [...classes], padding: 0.2 },
      { domain: panel.activity, zero: true, title: label(panel, f) },
    );
    items.push(...plot.items);
    classes.forEach((name, c) => {
      if (gone.has(c)) return;
      const at = plot.y.at(panel.activity[f * classes.length + c]!);
      const ground = plot.y.at(0);
      items.push(
        fill(
          plot.x.at(name) - plot.x.bandwidth / 2,
          Math.min(at, ground),
          plot.x.bandwidth,
          Math.abs(ground - at),
          BAR,
        ),
      );
    });
  }
  return {
    width: across * WIDTH + 2 * MARGIN,
    height: top + rows * HEIGHT + MARGIN,
    background: '#ffffff',
    items,
  };
}

function label(panel: ActivityPanel, f: number): string {
  const { value } = panel.selectivity[f]!;
  return `filter ${f}${value === null ? '' : `, selectivity ${value.toFixed(2)}`}`;
}
