// Takes a picture of pages, for people to look at: node screens.mjs PROGRAM FOLDER
import { mkdirSync } from "node:fs";
import { launch, logIn, scan, serve } from "./harness.mjs";

const [program, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const server = await serve(program);
const browser = await launch();
const said = [];
async function shot(page, name) {
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  const found = await scan(page);
  for (const line of found) said.push(`${name}: ${line}`);
  for (const line of page.faults.splice(0)) said.push(`${name}: ${line}`);
}
try {
  const A = "/studies/imatinib-open";
  const B = "/studies/imatinib-controlled";
  const visitor = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  visitor.faults = [];
  await visitor.goto(`${server.url}/log-in`);
  await shot(visitor, "log-in");
  const wide = { viewport: { width: 1280, height: 800 } };
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
  for (const [who, how, tag] of [["coordinator.01", wide, "coordinator"], ["coordinator.01", phone, "coordinator-phone"], ["principal_investigator.01", wide, "investigator"], ["skin_assessor.01", wide, "assessor"], ["pharmacist.01", wide, "pharmacist"], ["monitor", wide, "monitor"], ["data_manager", wide, "data-manager"], ["pathologist", wide, "pathologist"], ["specimen_custodian", wide, "custodian"], ["administrator", wide, "administrator"]]) {
    const page = await logIn(browser, server, who, how);
    await shot(page, `${tag}-studies`);
    for (const [study, label] of [[A, "a"], [B, "b"]]) {
      await page.goto(server.url + study);
      await shot(page, `${tag}-${label}-home`);
      const links = await page.locator("nav ul a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
      for (const link of links.slice(1)) {
        await page.goto(server.url + link);
        await shot(page, `${tag}-${label}-${link.split("/").at(-1)}`);
      }
      if (!links.includes(`${study}/participants`)) continue;
      await page.goto(`${server.url}${study}/participants?sort=forms`);
      const first = await page.locator("tbody th a").first().getAttribute("href").catch(() => null);
      if (!first) continue;
      await page.goto(server.url + first);
      await shot(page, `${tag}-${label}-participant`);
      const forms = await page.locator("a.form").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
      const wanted = new Set();
      for (const form of forms) {
        const name = form.split("/forms/")[1].split("/")[0];
        if (wanted.has(name) || wanted.size > 6 && !["skin_score", "global_vas", "adverse_events"].includes(name)) continue;
        wanted.add(name);
        await page.goto(server.url + form);
        await shot(page, `${tag}-${label}-form-${name}`);
      }
    }
    if (who === "administrator") {
      await page.goto(`${server.url}/administration`);
      await shot(page, "administration");
      await page.goto(`${server.url}/administration/people/monitor`);
      await shot(page, "administration-person");
      await page.goto(`${server.url}/administration/log`);
      await shot(page, "administration-log");
    }
    await page.goto(`${server.url}/account`);
    if (tag === "coordinator") await shot(page, "account");
    await page.context().close();
  }
} finally {
  await browser.close();
  server.stop();
}
console.log(said.length ? [...new Set(said)].join("\n") : "axe and the console found nothing");
