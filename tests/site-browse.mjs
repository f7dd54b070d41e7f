// SPDX-License-Identifier: GPL-2.0-only
// A site of iptrk pages in a browser: node site-browse.mjs SITE PICTURES
//
// Opens every page of SITE at the widths of a desk, a tablet and a phone, light
// and dark, with axe-core; clicks the tallest bar of the overview; leaves
// pictures of the pages in PICTURES. Prints what is wrong, and ends with 1.
// Wants puppeteer-core and axe-core in ./node_modules, and chromium.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(resolve("site-browse.mjs"));
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [site, pictures] = process.argv.slice(2).map((path) => resolve(path));
const faults = [];

const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const page = await browser.newPage();
await page.setBypassCSP(true); // for axe alone: the site has no script
for (const name of readdirSync(site).filter((f) => f.endsWith(".html"))) {
  for (const width of [1440, 768, 390]) {
    for (const theme of ["light", "dark"]) {
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([
        { name: "prefers-color-scheme", value: theme },
      ]);
      await page.goto(`file://${site}/${name}`);
      await page.evaluate(() => {
        for (const image of document.images) image.loading = "eager";
        return Promise.all(
          [...document.images].map((image) => image.decode().catch(() => 0)),
        );
      });
      const where = `${name} ${width} ${theme}`;
      const shape = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth > innerWidth,
        broken: [...document.images]
          .filter((image) => image.naturalWidth === 0)
          .map((image) => image.currentSrc),
      }));
      if (shape.wide) faults.push(`${where}: scrolls sideways`);
      for (const image of shape.broken) faults.push(`${where}: ${image}`);
      await page.evaluate(axe);
      const found = await page.evaluate(() => globalThis.axe.run());
      for (const { id, impact, nodes } of found.violations)
        if (["serious", "critical"].includes(impact))
          faults.push(`${where}: ${id}: ${nodes[0].html}`);
      await page.screenshot({
        path: `${pictures}/${name}-${width}-${theme}.png`,
        fullPage: true,
      });
    }
  }
}

// The bar whose label has the most bytes in.
await page.setViewport({ width: 1440, height: 900 });
await page.goto(`file://${site}/index.html`);
const bar = await page.evaluate(() => {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const bytes = (link) => {
    const [, number, unit] = link.textContent.match(/in ([\d.]+) (\w+)/);
    return number * 1000 ** units.indexOf(unit);
  };
  const links = [...document.querySelector(".bars").querySelectorAll("a")];
  const tallest = links.reduce((a, b) => (bytes(a) >= bytes(b) ? a : b));
  tallest.scrollIntoView({ block: "center" });
  const box = tallest.querySelector("rect").getBoundingClientRect();
  return {
    x: box.x + box.width / 2,
    y: box.y + box.height / 2,
    address: tallest.textContent.trim().split(" ")[0],
  };
});
await Promise.all([page.waitForNavigation(), page.mouse.click(bar.x, bar.y)]);
const heading = await page.$eval("h1", (element) => element.textContent);
if (!heading.startsWith(bar.address))
  faults.push(`the bar of ${bar.address} leads to ${heading}`);
await browser.close();
console.log(faults.join("\n"));
process.exit(faults.length ? 1 : 0);
