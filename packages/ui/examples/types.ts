// Compiled, not run, by src/types.test.ts: what TypeScript knows of the elements.
import '@epochscope/ui/register';
import type { EsTendencyImage } from '@epochscope/ui';
import type {} from '@epochscope/ui/vue';
import type { GlobalComponents } from 'vue';

const picture: EsTendencyImage = document.querySelector('es-tendency-image')!;
picture.mode = 'vat';
picture.addEventListener('es-select', ({ detail }) => {
  const sample: number | null | undefined = detail.sample;
  console.log(sample, detail.position);
});
document.addEventListener('es-export', ({ detail }) => console.log(detail.blob.size));
// @ts-expect-error: a mode there is not
picture.mode = 'vta';
// @ts-expect-error: nothing of that name in the detail
picture.addEventListener('es-zoom', ({ detail }) => console.log(detail.sample));

type Props = InstanceType<GlobalComponents['es-tendency-image']>['$props'];
export const right: Props = { mode: 'vat', 'onEs-select': ({ detail }) => console.log(detail.sample) };
// @ts-expect-error: a mode there is not
export const wrong: Props = { mode: 'vta' };
