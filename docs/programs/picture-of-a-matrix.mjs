// Points in a file (.npy, .npz, .csv, …) → cluster tendency → its picture as SVG and PNG.
//   node picture-of-a-matrix.mjs points.npy picture
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { tendencyOfFile } from '@epochscope/analysis';
import { EsTendencyImage } from '@epochscope/ui';
import { fontMeasure, readFont, sceneSvg } from '@epochscope/ui/drawing';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { encode } from 'fast-png';

const at = (name) => fileURLToPath(import.meta.resolve(name));
const font = readFont(await readFile(at('@epochscope/ui/fonts/Inter-Regular.ttf')), 'Inter');
const [file, picture] = process.argv.slice(2);
const result = await tendencyOfFile(file);

const figure = Object.assign(new EsTendencyImage(), { data: result.panels[0], result });
const scene = figure.toScene(fontMeasure({ regular: font, bold: font }), { width: 400 });
const address = (pixels) => `data:image/png;base64,${Buffer.from(encode(pixels)).toString('base64')}`;
const svg = sceneSvg(scene, { encode: address, title: result.panels[0].layer });
await writeFile(`${picture}.svg`, svg);
await initWasm(await readFile(at('@resvg/resvg-wasm/index_bg.wasm')));
const drawn = new Resvg(svg, { font: { fontBuffers: [font.bytes], defaultFontFamily: font.family } });
await writeFile(`${picture}.png`, drawn.render().asPng());
