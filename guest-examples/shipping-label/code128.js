/** Code 128: the bars of a text. Digits in pairs take half the room, so it changes to code set C where that pays. */

import { TaskError } from "stepwell-sdk";

/** The widths of bars and gaps of each of the 106 symbols, in modules; they begin with a bar. */
const WIDTHS = (
  "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122123221223211" +
  "221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323131123131321112313132113" +
  "132311211313231113231311112133112331132131113123113321133121313121211331231131213113213311213131311123311321331121" +
  "312113312311332111314111221411431111111224111422121124121421141122141221112214112412122114122411142112142211241211" +
  "221114413111241112134111111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141" +
  "114113114311411113411311113141114131311141411131211412211214211232"
).match(/.{6}/g);
const STOP = "2331112";
const [CODE_C, CODE_B, START_B, START_C] = [99, 100, 104, 105];
/** Fewer digits are not worth the change. */
const DIGITS_MIN = 4;
const MODULO = 103;

/** The widths of bars and gaps of a text of printable ASCII. */
export function code128(text) {
  if (!/^[ -~]{1,48}$/.test(text)) {
    const cause = `${JSON.stringify(text)} cannot be a barcode: 1 to 48 plain characters`;
    throw new TaskError("InvalidTrackingNumber", cause);
  }
  const symbols = symbolsOf(text);
  const sum = symbols.reduce((sum, symbol, index) => sum + symbol * Math.max(index, 1), 0);
  return [...symbols, sum % MODULO].map((symbol) => WIDTHS[symbol]).join("") + STOP;
}

export function symbolsOf(text) {
  const symbols = [];
  let at = 0;
  let inC = false;
  while (at < text.length) {
    const digits = /^\d*/.exec(text.slice(at))[0].length;
    const wantsC = inC ? digits >= 2 : digits >= DIGITS_MIN;
    if (symbols.length === 0) symbols.push(wantsC ? START_C : START_B);
    else if (wantsC !== inC) symbols.push(wantsC ? CODE_C : CODE_B);
    inC = wantsC;
    symbols.push(inC ? Number(text.slice(at, at + 2)) : text.charCodeAt(at) - 32);
    at += inC ? 2 : 1;
  }
  return symbols;
}
