// Each library of avatars by one function: the chosen options and colours in, an SVG out.
import * as collection from "@dicebear/collection";
import { createAvatar } from "@dicebear/core";
import bigheads from "@bigheads/core";
import { faceToSvgString, generate } from "facesjs";
import React from "react";
import { renderToStaticMarkup } from "react-dom/server";

const hex = (color) => `#${color}`;

function dicebear(style, spec, options, colors, seed) {
  const all = { seed: String(seed), size: 128, backgroundColor: [colors.ground], flip: colors.draw() < 0.5, ...options };
  Object.assign(all, { scale: 90 + Math.round(colors.draw() * 20), rotate: Math.round((colors.draw() * 12 + 354) % 360) });
  for (const name of [...(spec.hairColor ?? []), ...(spec["same as hair"] ?? [])]) all[name] = [colors.hair];
  for (const name of spec.skinColor ?? []) all[name] = [colors.skin];
  for (const name of spec["any color"] ?? []) all[name] = [colors.any()];
  return createAvatar(collection[style], all).toString();
}

// facesjs draws by Math.random what it is not told.
function facesjs(style, spec, options, colors) {
  const parts = Object.fromEntries(Object.entries(options).map(([part, [id]]) => [part, { id }]));
  const kept = Math.random;
  Math.random = colors.draw;
  try {
    const face = generate(undefined, { gender: "male" });
    for (const [part, chosen] of Object.entries(parts)) Object.assign(face[part], chosen);
    face.hair.color = hex(colors.hair);
    face.body.color = hex(colors.skin);
    face.teamColors = [hex(colors.any()), hex(colors.any()), hex(colors.any())];
    const side = 370 + colors.draw() * 110;
    const [left, top] = [200 - side / 2 + (colors.draw() - 0.5) * 40, 320 - side / 2 + (colors.draw() - 0.5) * 50];
    const view = `viewBox="${left} ${top} ${side} ${side}"`;
    const ground = `<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="#${colors.ground}"/>`;
    return faceToSvgString(face).replace(/<svg([^>]*?) viewBox="[^"]*"([^>]*)>/, (_, a, b) => `<svg${a} ${view}${b}>${ground}`)
      .replace(/ (width|height)="100%"/g, "");
  } finally {
    Math.random = kept;
  }
}

// BigHeads has few colours of its own; those of one are put in the place of others in the finished picture.
const SHADE = 0.88;
const darker = (color) =>
  [0, 2, 4].map((at) => Math.round(parseInt(color.slice(at, at + 2), 16) * SHADE).toString(16).padStart(2, "0")).join("");

function bigHeads(style, spec, options, colors) {
  const { theme, BigHead } = bigheads;
  const chosen = Object.fromEntries(Object.entries(options).map(([part, [name]]) => [part, name]));
  const props = {
    body: "chest", clothing: "shirt", clothingColor: "green", graphic: "none", hairColor: "orange", hat: "none",
    hatColor: "blue", lashes: colors.draw() < 0.5, lipColor: "red", eyes: "normal", eyebrows: "raised",
    skinTone: "light", mask: false, ...chosen,
  };
  const put = [
    [theme.colors.hair.orange, colors.hair], [theme.colors.skin.light, colors.skin],
    [theme.colors.clothing.green, colors.any()], [theme.colors.clothing.blue, colors.any()],
  ];
  let svg = renderToStaticMarkup(React.createElement(BigHead, props));
  for (const [{ base, shadow }, color] of put) {
    svg = svg.replaceAll(new RegExp(base, "gi"), hex(color)).replaceAll(new RegExp(shadow, "gi"), hex(darker(color)));
  }
  return svg.replace(/(<svg[^>]*>)/, `$1<rect x="-500" y="-500" width="2000" height="2000" fill="#${colors.ground}"/>`);
}

export const libraries = { dicebear, facesjs, bigHeads };
