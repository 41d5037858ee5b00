// Starts the server on a training copy and drives Debian's Chromium. No network beyond loopback.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Starts the program; resolves once it serves. */
export function serve(program, extra = []) {
  const child = spawn(program, ["serve", "--demo", "--listen", "127.0.0.1:0", ...extra], { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (part) => {
      said += part;
      const url = said.match(/Open (http:\/\/\S+) /)?.[1];
      const password = said.match(/Password of all: (\S+)/)?.[1];
      if (url && password && said.includes("Stop with")) {
        resolve({ url, password, stop: () => child.kill("SIGTERM"), kill: () => child.kill("SIGKILL"), child });
      }
    });
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}:\n${said}`)));
  });
}

/** Starts the program on an empty live installation with one study; resolves with the set-up token once it serves. */
export function serveLive(program, study) {
  const folder = mkdtempSync(join(tmpdir(), "equipoise-live-"));
  const child = spawn(program, ["serve", "--data", folder, "--study", study, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (part) => {
      said += part;
      const [, url, token] = said.match(/Open (http:\/\/\S+) and make the first administrator\. Set-up token: (\S+)/) ?? [];
      if (token && said.includes("Stop with")) {
        const stop = () => { child.kill("SIGTERM"); rmSync(folder, { recursive: true, force: true }); };
        resolve({ url, token, password: "several words make a good one", stop });
      }
    });
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}:\n${said}`)));
  });
}

/** Serves a copy of an installation with virtual participants, so that what is done there is done to the copy alone. */
export async function serveCopy(program, installation) {
  const folder = mkdtempSync(join(tmpdir(), "equipoise-copy-"));
  cpSync(installation, folder, { recursive: true });
  const server = await serve(program, ["--data", folder]);
  const { stop } = server;
  return { ...server, stop: () => { stop(); rmSync(folder, { recursive: true, force: true, maxRetries: 5 }); } };
}

/** Launches the browser. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
}

/**
 * A page of a browser of its own. `how` are options of the browser's context, such as `javaScriptEnabled: false`; with
 * `keyboard: true` whatever is pressed, chosen or filled on it is reached and done by keys alone.
 */
export async function open(browser, { keyboard = false, ...how } = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...how });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  if (keyboard) byKeyboard(page);
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") page.faults.push(message.text()); });
  page.on("response", (response) => { if (response.status() >= 500) page.faults.push(`${response.status()} ${response.url()}`); });
  return page;
}

/** A person's page, logged in. */
export async function logIn(browser, server, name, how = {}) {
  const page = await open(browser, how);
  await page.goto(`${server.url}/log-in`);
  await page.getByLabel("Log-in name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(server.password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/log-in"));
  return page;
}

/** Presses of the tab key after which something can't be reached. */
const TABS_MAX = 400;

/**
 * Goes to an element by the tab key; to a choice of a group by the arrows, which choose it. Fails where no key leads there: what is
 * hidden, or can't be focused.
 */
async function reach(locator) {
  const page = locator.page();
  await locator.waitFor({ state: "attached" });
  const wanted = await locator.elementHandle();
  const place = () => wanted.evaluate((element) => {
    const active = document.activeElement;
    if (active === element) return "there";
    // One choice of a group is in the order of the tab key; arrows lead to the others.
    const group = element.type === "radio" && active?.type === "radio" && active.name === element.name && active.form === element.form;
    if (!group) return "elsewhere";
    const all = [...document.querySelectorAll(`input[type=radio][name="${CSS.escape(element.name)}"]`)].filter((one) => one.form === element.form);
    return all.indexOf(element) - all.indexOf(active);
  });
  for (let count = 0; count <= TABS_MAX; count += 1) {
    const away = await place();
    if (away === "there") return;
    if (typeof away === "number") {
      for (let step = 0; step < Math.abs(away); step += 1) await page.keyboard.press(away > 0 ? "ArrowDown" : "ArrowUp");
      continue;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`no way by keyboard to ${locator} on ${page.url()}`);
}

/** What people do with an element, by keys. */
const KEYS = {
  async click(locator) {
    await reach(locator);
    const page = locator.page();
    // Keys do not wait for the page that they lead to.
    const led = page.waitForEvent("framenavigated", { timeout: 500 }).catch(() => {});
    await page.keyboard.press("Enter");
    await led;
    await page.waitForLoadState();
  },
  async check(locator) {
    await reach(locator);
    if (!(await locator.isChecked())) await locator.page().keyboard.press("Space");
  },
  async uncheck(locator) {
    await reach(locator);
    if (await locator.isChecked()) await locator.page().keyboard.press("Space");
  },
  async press(locator, key) {
    const choice = await locator.evaluate((element) => element.type === "radio");
    if (choice && key === " ") return KEYS.check(locator);
    await reach(locator);
    await locator.page().keyboard.press(key);
  },
  async focus(locator) { await reach(locator); },
  async fill(locator, text) {
    await reach(locator);
    const keyboard = locator.page().keyboard;
    if (await locator.getAttribute("type") === "date") {
      const [year, month, day] = text.split("-");
      return keyboard.type(`${day}${month}${year}`);
    }
    await keyboard.press("Control+A");
    await (text === "" ? keyboard.press("Delete") : keyboard.type(text));
  },
  async selectOption(locator, wanted) {
    await reach(locator);
    const away = await locator.evaluate((select, wanted) => {
      const to = [...select.options].findIndex((option) => option.value === wanted || option.text.trim() === wanted);
      return to < 0 ? null : to - select.selectedIndex;
    }, wanted);
    if (away === null) throw new Error(`${locator} has no ${wanted}`);
    for (let step = 0; step < Math.abs(away); step += 1) await locator.page().keyboard.press(away > 0 ? "ArrowDown" : "ArrowUp");
  },
};

/** Takes the mouse and the touch away from a page. */
function byKeyboard(page) {
  const kind = Object.getPrototypeOf(page.locator("body"));
  if (!kind.asksForKeys) {
    kind.asksForKeys = true;
    for (const [name, typed] of Object.entries(KEYS)) {
      const touched = kind[name];
      kind[name] = function (...given) {
        return this.page().keyboardAlone ? typed(this, ...given) : touched.apply(this, given);
      };
    }
  }
  page.keyboardAlone = true;
}

/** Shapes of pages that were scanned already. */
const scanned = new Set();

/**
 * The shape of a page: its elements with what decides how they are drawn and spoken, without words, numbers and addresses.
 * Neighbours of one shape, such as the rows of a table, count once. Pages of one shape have the same findings.
 */
const shapeOf = (page) => page.evaluate(() => {
  const kept = (name) => /^(class|role|type|lang|dir|style|hidden|disabled|readonly|required|tabindex|scope|aria-.*)$/.test(name);
  const shape = (element) => {
    const own = [...element.attributes].filter((attribute) => kept(attribute.name));
    const said = own.map(({ name, value }) => name + "=" + (/^aria-(label|describedby|labelledby|controls)/.test(name) ? value !== "" : value));
    const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
    const named = ["id", "for", "alt", "title", "href"].filter((name) => element.hasAttribute(name));
    const below = [...element.children].map(shape).filter((one, place, all) => one !== all[place - 1]);
    return `<${element.localName} ${said.sort().join(" ")} ${named.join(" ")}${words ? " words" : ""}>${below.join("")}</>`;
  };
  return shape(document.documentElement);
});

/** Returns whether a page has to be moved sideways in a window of 320 pixels, which is 400 % of a desk's (WCAG 1.4.10). Tables scroll by themselves. */
async function reflow(page) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 800 });
  // What is drawn has to have come to rest: a window takes its new size over some frames.
  const over = await page.evaluate(async () => {
    const root = document.documentElement;
    for (let frame = 0; frame < 30 && root.scrollWidth > root.clientWidth + 1; frame += 1) await new Promise(requestAnimationFrame);
    return root.scrollWidth - root.clientWidth;
  });
  await page.setViewportSize(size);
  return over > 1 ? [`reflow: ${over} pixels wider than 320`] : [];
}

/** Returns what axe finds serious or worse on a page (WCAG 2.2 A and AA) and whether it reflows; nothing for a shape that was scanned before. */
export async function scan(page) {
  const shape = await shapeOf(page);
  if (scanned.has(shape)) return [];
  scanned.add(shape);
  const wide = await reflow(page);
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const run = await globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
      resultTypes: ["violations"],
    });
    return run.violations
      .filter((violation) => ["serious", "critical"].includes(violation.impact))
      .map((violation) => `${violation.id}: ${violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  });
  return [...wide, ...found];
}

/** Fails with a message. */
export function check(holds, message) {
  if (!holds) throw new Error(message);
}
