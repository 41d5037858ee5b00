// The explorer's page, served and saved: node explorer.mjs PROGRAM NAME…
// Started by the tests of the command line; ends with 1 and says why when a journey fails.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { check, launch, scan } from "./harness.mjs";

const [program, ...names] = process.argv.slice(2);
const SMALL = ["imatinib-controlled", "--trials", "200", "--sizes", "20,40,60", "--points=-5,0", "--dropout", "0,0.4"];

/** Starts the explorer; resolves once it serves. */
function explore() {
  const child = spawn(program, ["explore", ...SMALL, "--port", "0"], { stdio: ["ignore", "pipe", "ignore"] });
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (part) => {
      said += part;
      const url = said.match(/(http:\/\/\S+) /)?.[1];
      if (url) resolve({ url, stop: () => child.kill("SIGTERM") });
    });
    child.on("exit", (code) => reject(new Error(`the explorer ended with ${code}:\n${said}`)));
  });
}

/** A page that counts what goes wrong on it and what it asks of elsewhere. */
async function open(browser, url, how = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...how });
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") page.faults.push(message.text()); });
  page.on("request", (request) => { if (!request.url().startsWith(url) && !request.url().startsWith("data:")) page.faults.push(`asks for ${request.url()}`); });
  await page.goto(url);
  return page;
}

const first = (page) => page.locator("#by-setting li").first().textContent();
const rate = (text) => Number(text.match(/^([\d.]+) %/)[1]);

async function isSound(page) {
  check(page.faults.length === 0, page.faults.join("\n"));
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(over <= 1, `the page is ${over} pixels too wide`);
  const found = await scan(page);
  check(found.length === 0, found.join("\n"));
}

/** Every simulated number has its Monte Carlo error, and every setting its name. */
async function saysHowSure(page) {
  for (const line of await page.locator("#by-setting li").allTextContents()) {
    check(/^\d+\.\d % \(MC SE \d+\.\d\d\) of runs in the setting “(registry|trial)”/.test(line), line);
  }
  for (const cell of await page.locator("#rows td").allTextContents()) check(/^\d+\.\d % \(\d+\.\d\d\)$/.test(cell), cell);
}

const journeys = {
  // Tab to each control, arrows and Home and End on it; the curve follows at once, the trials at that place soon.
  async keyboard(browser, url) {
    const page = await open(browser, url);
    await page.keyboard.press("Tab");
    check(await page.evaluate(() => document.activeElement.id) === "size", "the first stop is the number of participants");
    await page.keyboard.press("End");
    check((await page.locator("#size-now").textContent()) === "60", "End leads to the most participants");
    const many = rate(await first(page));
    await page.keyboard.press("Home");
    check((await page.locator("#size-now").textContent()) === "20", "Home leads to the fewest");
    check(rate(await first(page)) < many, "fewer participants find an effect less often");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    check((await page.locator("#points-now").textContent()) === "−4.5 points", "an arrow takes half a point off the effect");
    await page.keyboard.press("End");
    check(/without effect/.test(await page.locator("#answer").textContent()), "no effect is said in words");
    await page.keyboard.press("Home");
    await page.keyboard.press("Tab");
    await page.keyboard.press("End");
    check((await page.locator("#dropout-now").textContent()) === "40 %", "End leads to the most early stops");
    await page.getByText("trials run at this very place").waitFor();
    await saysHowSure(page);
    return page;
  },
  // What is run at the very place agrees with the command that the page prints.
  async live(browser, url) {
    const page = await open(browser, url);
    await page.getByText("From 10,000 trials run at this very place").waitFor();
    const shown = rate(await first(page));
    const command = await page.locator("#command").textContent();
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]).slice(1);
    const output = spawnSync(program, [...words, "--json"], { encoding: "utf8" });
    check(output.status === 0, output.stderr);
    const scenario = JSON.parse(output.stdout).scenarios[0];
    check(scenario.setting === "registry", scenario.setting);
    check((100 * scenario.analyses[0].rejection_rate).toFixed(1) === shown.toFixed(1), `${shown} on the page, the command: ${scenario.analyses[0].rejection_rate}`);
    return page;
  },
  async phone(browser, url) {
    const page = await open(browser, url, { viewport: { width: 390, height: 844 } });
    await page.locator("#size").fill("40");
    check((await page.locator("#size-now").textContent()) === "40", "a slider is moved");
    await saysHowSure(page);
    return page;
  },
  // One file that needs nothing else, moved without a server.
  async saved(browser) {
    const folder = mkdtempSync(join(tmpdir(), "explorer-"));
    try {
      const path = join(folder, "page.html");
      const output = spawnSync(program, ["explore", ...SMALL, "--out", path], { encoding: "utf8" });
      check(output.status === 0, output.stderr);
      const page = await open(browser, pathToFileURL(path).href);
      const before = await first(page);
      await page.locator("#points").fill("-2.5");
      check((await first(page)) !== before, "the numbers follow");
      check((await page.locator("#from").textContent()) === "From the grid.", "nothing is asked of a server");
      await saysHowSure(page);
      await isSound(page);
      await page.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

const server = await explore();
const browser = await launch();
let failed = false;
try {
  for (const name of names) {
    const began = Date.now();
    try {
      const page = await journeys[name](browser, server.url);
      if (page) {
        await isSound(page);
        await page.close();
      }
      console.log(`${name} ok ${((Date.now() - began) / 1000).toFixed(1)} s`);
    } catch (error) {
      failed = true;
      console.log(`${name} FAILED: ${error.stack ?? error}`);
    }
  }
} finally {
  await browser.close();
  server.stop();
}
process.exit(failed ? 1 : 0);
