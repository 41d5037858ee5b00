// Takes a picture of every kind of page, for people to look at: node screens.mjs PROGRAM FOLDER [LANGUAGE] [desk|phone]
import { mkdirSync } from "node:fs";
import { launch, logIn, open, serve } from "./harness.mjs";

const [program, folder, language = "en", size = "desk"] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const how = size === "phone" ? { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } : { viewport: { width: 1280, height: 800 } };
const PEOPLE = [
  "coordinator.01", "principal_investigator.01", "skin_assessor.01", "pharmacist.01", "monitor", "data_manager", "pathologist",
  "specimen_custodian", "trial_statistician", "safety_board", "sponsor_physician", "unblinded_statistician", "administrator",
];
const STUDIES = [["imatinib-open", "a"], ["imatinib-controlled", "b"]];
const server = await serve(program);
const browser = await launch();
const said = [];
/** Kinds of pages that were taken, so that each is taken of the first person who sees it. */
const taken = new Set();

async function shot(page, name, kind = name) {
  if (taken.has(kind)) return;
  taken.add(kind);
  for (const details of await page.locator("main details.trends, main details.step").all()) await details.evaluate((one) => { one.open = true; });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 1) said.push(`${name} is ${over} pixels too wide`);
  for (const line of page.faults.splice(0)) if (!/status of 404/.test(line)) said.push(`${name}: ${line}`);
}

try {
  const visitor = await open(browser, how);
  await visitor.goto(`${server.url}/log-in`);
  await shot(visitor, "log-in");
  for (const who of PEOPLE) {
    const role = who.split(".")[0];
    const page = await logIn(browser, server, who, how);
    if (language !== "en") {
      await page.goto(`${server.url}/account`);
      await page.locator(`button[name=language][value=${language}]`).click();
    }
    await page.goto(`${server.url}/studies`);
    await shot(page, `${role}-studies`, "studies");
    for (const [study, label] of STUDIES) {
      const path = `${server.url}/studies/${study}`;
      await page.goto(path);
      await shot(page, `${role}-${label}-home`);
      const links = await page.locator("nav ul a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
      for (const link of links.slice(1)) {
        const name = link.split("/").at(-1);
        await page.goto(server.url + link);
        await shot(page, `${role}-${label}-${name}`, `${label}-${name}${["allocation", "slides"].includes(name) ? role : ""}`);
      }
      for (const more of ["consent", "queries/bulk?form=vital_signs&item=weight&which=value"]) {
        const answer = await page.goto(`${path}/${more}`);
        if (answer.status() === 200) await shot(page, `${role}-${label}-${more.split("?")[0].replace("/", "-")}`, `${label}-${more}`);
      }
      if (!links.some((link) => link.endsWith("/participants"))) continue;
      await page.goto(`${path}/participants?sort=forms`);
      const first = await page.locator("tbody th a").first().getAttribute("href", { timeout: 2000 }).catch(() => null);
      if (!first) continue;
      await page.goto(server.url + first);
      await shot(page, `${role}-${label}-participant`);
      const all = await page.locator("main a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
      for (const kind of ["/sheet/", "/sign/", "/break-blind"]) {
        const way = all.find((href) => href?.includes(kind));
        if (!way) continue;
        await page.goto(server.url + way);
        await shot(page, `${role}-${label}${kind.replaceAll("/", "-")}`, `${label}${kind}`);
      }
      for (const form of all.filter((href) => href?.includes("/forms/"))) {
        const name = form.split("/forms/")[1].split("/")[0];
        if (taken.has(`${label}-form-${name}`)) continue;
        await page.goto(server.url + form);
        await shot(page, `${label}-form-${name}`);
      }
    }
    for (const more of ["account", "account/identities", "manual", ...(role === "administrator" ? ["administration", "administration/people/monitor", "administration/log", "administration/terminals"] : [])]) {
      const answer = await page.goto(`${server.url}/${more}`);
      if (answer.status() === 200) await shot(page, more.replaceAll("/", "-"));
    }
    await page.context().close();
  }
} finally {
  await browser.close();
  server.stop();
}
console.log(said.length ? [...new Set(said)].join("\n") : "no page is too wide, and the console said nothing");
