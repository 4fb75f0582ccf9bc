/** A label as an SVG of 100 by 150 millimetres. */

import { code128 } from "./code128.js";

const [WIDTH, HEIGHT, MARGIN] = [100, 150, 6];
const BARS = { top: 95, height: 32 };
/** Quiet space on each side of the bars, in modules, as scanners need it. */
const QUIET = 10;

export function label({ carrier, lines, trackingNumber, note }) {
  const texts = [
    text(MARGIN, 14, 7, carrier),
    ...lines.map((line, index) => text(MARGIN, 34 + 9 * index, index === 0 ? 6 : 5, line)),
    text(MARGIN, BARS.top + BARS.height + 8, 5, trackingNumber),
    text(MARGIN, HEIGHT - MARGIN, 3, note),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}mm" height="${HEIGHT}mm" ` +
    `viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif">${texts.join("")}<path d="${bars(code128(trackingNumber))}"/></svg>`
  );
}

/** A path of one rectangle for each bar. */
function bars(widths) {
  const modules = [...widths].reduce((sum, width) => sum + Number(width), 2 * QUIET);
  const module = (WIDTH - 2 * MARGIN) / modules;
  let [x, path] = [MARGIN + QUIET * module, ""];
  [...widths].forEach((width, index) => {
    const wide = Number(width) * module;
    if (index % 2 === 0) path += `M${round(x)} ${BARS.top}h${round(wide)}v${BARS.height}h-${round(wide)}z`;
    x += wide;
  });
  return path;
}

function text(x, y, size, content) {
  return `<text x="${x}" y="${y}" font-size="${size}">${escaped(content)}</text>`;
}

function escaped(content) {
  return content.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function round(number) {
  return Number(number.toFixed(3));
}
