// Makes public/emoji: the emoji with their names in both languages, from the npm package emojibase-data.
//
//   npm install --no-save --prefix /tmp/emoji emojibase-data@17.0.0 && node xtask/emoji/make.mjs /tmp/emoji
//
// The file has four blocks, separated by empty lines, with a line for each emoji in each block: the emoji, its Spanish
// name, its English name, and more words to find it by in both languages. Columns of equal things compress better than
// rows. A line `#3` in the first block begins a group; it has no line in the others. Behind an emoji, `+` says that a
// skin tone stands after its first character, and `*` that one stands after each person.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';

/** The page fetches the file when somebody looks for an emoji, also on a slow link. */
const MOST_BYTES = 40_000;
/** So many more words of each language: enough to keep the file below its size. */
const WORDS = 5;
/** The group of skin tones and hair, which are no emoji by themselves. */
const COMPONENTS = 2;
const FLAGS = 9;
const TONES = [0x1f3fb, 0x1f3fc, 0x1f3fd, 0x1f3fe, 0x1f3ff].map((code) => String.fromCodePoint(code));
const EMOJI_STYLE = '\u{fe0f}';
const PEOPLE = ['🧑', '👨', '👩'];

const folder = process.argv[2] ?? '.';
const read = (language) =>
  JSON.parse(readFileSync(`${folder}/node_modules/emojibase-data/${language}/compact.json`, 'utf8'));

const english = read('en')
  .filter((emoji) => emoji.group !== undefined && emoji.group !== COMPONENTS)
  .sort((one, other) => one.order - other.order);
const spanish = new Map(read('es').map((emoji) => [emoji.hexcode, emoji]));

/** How a skin tone is put into an emoji. The page follows the same rules, so an exception ends the script. */
function toning({ unicode, skins }) {
  if (skins === undefined) return '';
  const characters = [...unicode];
  const rules = {
    '+': (tone) => [characters[0], tone, ...characters.slice(characters[1] === EMOJI_STYLE ? 2 : 1)],
    '*': (tone) => characters.flatMap((c) => (PEOPLE.includes(c) ? [c, tone] : [c])),
  };
  const follows = (rule) => TONES.every((tone) => skins.some((skin) => skin.unicode === rule(tone).join('')));
  const found = Object.entries(rules).find(([, rule]) => follows(rule));
  if (found === undefined) throw new Error(`the tones of ${unicode} follow no rule`);
  return found[0];
}

/** A character that is an emoji by itself needs no style. With one, `👍` would be another reaction than `👍`. */
const withoutNeedlessStyle = (sign) => sign.replace(/(\p{Emoji_Presentation})\u{fe0f}/gu, '$1');

const words = (text) =>
  text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length > 2);

/** Words that find an emoji and are not the beginning of one that does. */
function moreWords(names, emoji) {
  const known = names.flatMap((name) => words(name.label));
  const chosen = names.flatMap(({ tags = [] }) => {
    const some = [];
    for (const word of tags.flatMap(words)) {
      if (some.length < WORDS && !known.some((other) => other.startsWith(word))) {
        some.push(word);
        known.push(word);
      }
    }
    return some;
  });
  // A woman or a man is found by the words in the name; a flag is found by its country.
  if (emoji.group === FLAGS || /^(man|woman|men|women)\b/.test(emoji.label)) return [];
  return chosen.filter((word) => !chosen.some((other) => other !== word && other.startsWith(word)));
}

const [signs, ...columns] = [[], [], [], []];
let group;
for (const emoji of english) {
  const name = spanish.get(emoji.hexcode) ?? emoji;
  if (emoji.group !== group) {
    group = emoji.group;
    signs.push(`#${group}`);
  }
  signs.push(withoutNeedlessStyle(emoji.unicode) + toning(emoji));
  columns[0].push(name.label);
  columns[1].push(emoji.label);
  columns[2].push(moreWords([name, emoji], emoji).join(' '));
}
const text = [signs, ...columns].map((column) => column.join('\n')).join('\n\n') + '\n';
const size = brotliCompressSync(text).length;
if (size > MOST_BYTES) throw new Error(`${size} bytes are more than ${MOST_BYTES}`);
for (const old of readdirSync('public/emoji')) rmSync(`public/emoji/${old}`);
const name = `emoji.${createHash('sha256').update(text).digest('hex').slice(0, 16)}.txt`;
writeFileSync(`public/emoji/${name}`, text);
process.stdout.write(`public/emoji/${name}: ${english.length} emoji, ${size} bytes compressed\n`);
