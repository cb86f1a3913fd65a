// Draws labelled avatars: node draw.mjs OUTPUT_FOLDER COUNT [SEED]. One archive a style, of NAME.png and NAME.json.
//
// styles.json says, by style, what each variant of a part shows. All parts are chosen independently of each other, so
// that nothing can be told from anything but itself.
import { Resvg } from "@resvg/resvg-js";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { libraries } from "./render.mjs";

const SIDE = 128;
const HERE = dirname(fileURLToPath(import.meta.url));
const read = (name) => JSON.parse(readFileSync(join(HERE, name), "utf-8"));
const { hair: HAIR, skin: SKIN, ground: GROUND } = read("colors.json");

// mulberry32 by Tommy Ettinger (public domain)
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const pick = (random, list) => list[Math.floor(random() * list.length)];

// A group with more variants comes more often, but not so much that the others become rare.
function pickGroup(random, groups) {
  const weights = groups.map((group) => Math.sqrt(group.of.length));
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  return groups.find((_, index) => (left -= weights[index]) < 0) ?? groups.at(-1);
}

function near(random, hex) {
  const moved = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) + Math.round((random() - 0.5) * 16));
  return moved.map((value) => Math.min(255, Math.max(0, value)).toString(16).padStart(2, "0")).join("");
}

function merge(labels, said) {
  for (const [label, value] of Object.entries(said)) {
    labels[label] = Array.isArray(value) ? [...(labels[label] ?? []), ...value] : value;
  }
}

// What a part shows is added to the labels; returns whether it hides the hair.
function choosePart(random, name, part, options, labels) {
  const { share = 1, absent, ...groups } = part;
  const there = random() < share;
  if (absent) options[name] = absent;
  else if (share < 1) options[`${name}Probability`] = there ? 100 : 0;
  if (!there) return false;
  const group = pickGroup(random, Object.values(groups));
  options[name] = [pick(random, group.of)];
  for (const [other, variants] of Object.entries(group.with ?? {})) options[other] = [pick(random, variants)];
  merge(labels, group.is);
  return group["hides hair"] ?? false;
}

function avatar(style, spec, seed) {
  const random = generator(seed);
  const labels = structuredClone(spec.always ?? {});
  const options = structuredClone(spec.fixed ?? {});
  const value = pick(random, Object.keys(HAIR));
  const colors = { hair: near(random, pick(random, HAIR[value])), skin: near(random, pick(random, SKIN)) };
  colors.ground = pick(random, GROUND);
  colors.any = () => near(random, pick(random, HAIR[pick(random, Object.keys(HAIR))]));
  colors.draw = random;
  let hidden = false;
  for (const [name, part] of Object.entries(spec.parts)) {
    hidden = choosePart(random, name, part, options, labels) || hidden;
  }
  if (!hidden && !spec.inked) labels["Hair Color"] = value;
  if (!spec.inked) labels.skin_hex = `#${colors.skin}`;
  const library = libraries[spec.library ?? "dicebear"];
  return { svg: library(style, spec, options, colors, seed), labels };
}

const [folder, count, seed] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] ?? 0)];
if (!folder || !(count > 0)) {
  console.error("usage: node draw.mjs OUTPUT_FOLDER COUNT [SEED]");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
for (const [place, [style, spec]] of Object.entries(read("styles.json")).entries()) {
  const loose = mkdtempSync(join(tmpdir(), `${style}-`));
  for (let index = 0; index < count; index += 1) {
    const { svg, labels } = avatar(style, spec, (seed * 1009 + place) * 1_000_003 + index);
    const name = join(loose, String(index).padStart(6, "0"));
    writeFileSync(`${name}.png`, new Resvg(svg, { fitTo: { mode: "width", value: SIDE } }).render().asPng());
    writeFileSync(`${name}.json`, JSON.stringify(labels));
  }
  const archive = join(folder, `${style}.tar`);
  execFileSync("tar", ["-cf", archive, "-C", loose, "."]);
  rmSync(loose, { recursive: true });
  console.log(`${count} of ${style}: ${archive}`);
}
