// Journeys of people through both trials: node journeys.mjs PROGRAM NAME[@STUDY][:WAY]…
// STUDY is A or B, and A where none is named; WAY is one of the ways below. Started by the tests of the command line; ends with 1
// and says why when a journey fails.
import { spawnSync } from "node:child_process";
import { check, launch, logIn, open, scan, serve, serveCopy, serveLive } from "./harness.mjs";

const A = "/studies/imatinib-open";
const B = "/studies/imatinib-controlled";
const meaning = "I take responsibility for these data.";

/** The trials. In A, which is open, participants are enrolled and a pharmacist counts tablets; in B they are randomised and get kits. */
const STUDIES = {
  A: { path: A, enters: "Enrol", entered: "Enrolled", stratum: null },
  B: { path: B, enters: "Randomise", entered: "Randomised", stratum: "Disease history" },
};

/** Ways in which people come: with scripts or without, on a phone, at 400 % zoom (a quarter of 1280 pixels), by keyboard alone. */
const WAYS = {
  desk: { viewport: { width: 1280, height: 800 } },
  "no-scripts": { viewport: { width: 1280, height: 800 }, javaScriptEnabled: false },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  zoomed: { viewport: { width: 320, height: 256 } },
  keyboard: { viewport: { width: 1280, height: 800 }, keyboard: true },
};

/** Nothing lies outside the window's width: no page has to be scrolled both ways. */
async function fits(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(over <= 1, `${page.url()} is ${over} pixels too wide`);
}

/** Fills what a form asks for and holds nothing: the first choice, the middle of a range, a day in the past. */
async function fillForm(page, answers = {}) {
  for (const item of await page.locator(".item").all()) {
    const id = (await item.getAttribute("id")).slice("item-".length);
    const radios = item.locator(`input[type=radio][name="i.${id}"]`);
    if (await radios.count()) {
      const wanted = answers[id];
      const choice = wanted === undefined ? radios.first() : item.locator(`input[type=radio][name="i.${id}"][value="${wanted}"]`);
      // By keyboard: the choice itself is hidden behind its label, and the bar with "Save" may lie over it.
      await choice.press(" ");
      continue;
    }
    const select = item.locator(`select[name="i.${id}"]`);
    if (await select.count()) {
      const values = await select.locator("option").evaluateAll((all) => all.map((option) => option.value).filter(Boolean));
      await select.selectOption(answers[id] ?? values[0]);
      continue;
    }
    const year = item.locator(`input[name="i.${id}.year"]`);
    if (await year.count()) { await year.fill(answers[id] ?? "2001"); continue; }
    const day = item.locator(`input[type=date][name="i.${id}"]`);
    if (await day.count()) { await day.fill(answers[id] ?? "2001-02-03"); continue; }
    const field = item.locator(`input[name="i.${id}"]`);
    if (!(await field.count())) continue;
    const hint = (await item.locator(".hint").textContent().catch(() => "")) ?? "";
    const numbers = (hint.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
    const middle = numbers.length >= 2 ? Math.round((numbers.at(-2) + numbers.at(-1)) / 2) : 10;
    const numeric = await field.getAttribute("inputmode");
    await field.fill(answers[id] ?? (numeric ? String(middle) : "as in the notes"));
  }
}

/** Asks for a new participant's consent; returns the participant's path. */
async function newParticipant(browser, server, how, study = STUDIES.A) {
  const investigator = await logIn(browser, server, "principal_investigator.01", how);
  await investigator.goto(`${server.url}${study.path}/consent`);
  await investigator.getByRole("button", { name: "Record the consent" }).click();
  await investigator.waitForURL(/participants\/01-/);
  const path = new URL(investigator.url()).pathname;
  await investigator.context().close();
  return path;
}

/** Begins the screening of a participant and holds the visit of it. */
async function screen(page, server, path) {
  await page.goto(server.url + path);
  await page.locator("aside").getByRole("button", { name: "Begin screening" }).click();
  await page.getByText("Screening has begun.").waitFor();
  await hold(page, "Scr");
}

/** Holds a visit that is next. */
async function hold(page, visit) {
  await page.locator(`#visit-${visit} .step > summary`).click();
  await page.locator(`#visit-${visit}`).getByRole("button", { name: "Hold the visit" }).click();
  await page.getByText("recorded as held").waitFor();
}

/** Decides that a participant may enter; what is open or not met is waived with a reason. */
async function decide(page, visit) {
  const section = page.locator(`#eligibility-${visit}`);
  for (const box of await section.locator("input[name=waived]").all()) await box.check();
  const reason = section.locator("input[name=reason]");
  if (await reason.count()) await reason.fill("The sponsor's physician agreed; letter in binder 3");
  await section.getByRole("button", { name: "Eligible", exact: true }).click();
  await section.locator("h2 .tag.done").waitFor();
}

/** A participant who is screened, by the quickest way: what a journey of somebody else begins with. */
async function screened(browser, server, study) {
  const path = await newParticipant(browser, server, WAYS.desk, study);
  const coordinator = await logIn(browser, server, "coordinator.01", WAYS.desk);
  await screen(coordinator, server, path);
  await coordinator.context().close();
  return path;
}

/** Brings a screened participant to the first visit of treatment and into the trial. */
async function enter(browser, server, study, path, how) {
  const investigator = await logIn(browser, server, "principal_investigator.01", how);
  await investigator.goto(server.url + path);
  if (study.stratum) {
    await investigator.locator("#visit-Scr a.form", { hasText: study.stratum }).click();
    await fillForm(investigator);
    await investigator.getByRole("button", { name: "Save", exact: true }).click();
    await investigator.getByText("Saved.").first().waitFor();
    await investigator.goto(server.url + path);
  }
  await decide(investigator, "Scr");
  await hold(investigator, "M0");
  await decide(investigator, "M0");
  await fits(investigator);
  await investigator.locator("aside").getByRole("button", { name: study.enters }).click();
  await investigator.locator("dl.facts dt", { hasText: study.entered }).waitFor();
  await investigator.context().close();
}

/** Scores the 17 sites of the skin: on the map where there are scripts, in the table where there are none. Returns the total. */
async function scoreSkin(page, scripts) {
  const sites = await page.locator(".item input[type=radio][value='3']").evaluateAll((all) => all.map((radio) => radio.name));
  check(sites.length === 17, `17 sites are asked for, not ${sites.length}`);
  // Those that are typed on the map come first, as they do in the order of the tab key.
  const mapped = scripts ? sites.filter((_, index) => index % 2 === 0) : [];
  for (const name of mapped) {
    await page.locator(`.region[data-item="${name.slice(2)}"]`).first().focus();
    await page.keyboard.press("2");
  }
  for (const name of sites.filter((name) => !mapped.includes(name))) {
    await page.locator(`input[name="${name}"][value="1"]`).press(" ");
  }
  return 2 * mapped.length + (sites.length - mapped.length);
}

const journeys = {
  /** A coordinator's first day: screening, first visits, forms, entry into the trial, a query of a check and its answer by correction. */
  async coordinator(browser, server, how, study) {
    const path = await newParticipant(browser, server, how, study);
    const page = await logIn(browser, server, "coordinator.01", how);
    await fits(page);
    await screen(page, server, path);
    await fits(page);
    await page.locator("#visit-Scr a.form", { hasText: "Vital signs" }).click();
    await fillForm(page, { weight: "70.5", systolic: "80", diastolic: "120", heart_rate: "70" });
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("A check has a question").waitFor();
    const asked = await page.locator("p.query").count();
    check(asked > 0, "the question stands beside the item");
    await page.locator("input[name='i.systolic']").fill("120");
    await page.locator("input[name='i.diastolic']").fill("80");
    await page.locator("input[name=reason]").first().fill("Typing error");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved.").first().waitFor();
    check(await page.locator("p.query").count() < asked, "the check has closed its query");
    await fits(page);
    await enter(browser, server, study, path, how);
    await page.goto(server.url + path);
    check(await page.locator("#visit-Scr a.form.complete").count() >= 1, "the form shows as complete");
    check(await page.locator("#visit-M0.held").count() === 1, "the first visit of treatment is held");
    await fits(page);
    return page;
  },

  /** An investigator scores the skin on the body map where there are scripts, in the table where there are none. */
  async skin(browser, server, how, study) {
    const path = await screened(browser, server, study);
    const page = await logIn(browser, server, study === STUDIES.A ? "principal_investigator.01" : "skin_assessor.01", how);
    await page.goto(`${server.url}${path}/forms/skin_score/Scr/0`);
    await fits(page);
    const scripts = how.javaScriptEnabled !== false;
    const total = String(await scoreSkin(page, scripts));
    if (scripts) {
      check(await page.locator(".region.s2").count() > 0, "the map shows what was typed on it");
      await page.locator("#checks dl.derived", { hasText: total }).waitFor();
    }
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved.").first().waitFor();
    check((await page.locator("output", { hasText: total }).count()) > 0, `the sites make ${total}`);
    return page;
  },

  /** A blinded assessor is shown the visit in hand and no earlier score. */
  async assessor(browser, server, how, study) {
    const own = await screened(browser, server, study);
    const page = await logIn(browser, server, "skin_assessor.01", how);
    await page.goto(`${server.url}${study.path}/participants`);
    await fits(page);
    const text = await page.locator("main").innerText();
    check(!/adverse|weight|dose/i.test(text), "the assessor reads nothing that hints at the course");
    for (const link of await page.locator("tbody th a").evaluateAll((all) => all.map((a) => a.getAttribute("href")))) {
      await page.goto(server.url + link);
      const inHand = await page.locator("a[href*='/forms/skin_score/']").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
      for (const visit of ["Scr", "M0", "M1"]) {
        if (inHand.some((href) => href.endsWith(`/${visit}/0`))) continue;
        const answer = await page.request.get(`${server.url}${link}/forms/skin_score/${visit}/0`);
        check(answer.status() === 404, `${link} ${visit}: ${answer.status()}`);
      }
    }
    // The visit in hand is scored; once the next one is, this one is out of sight.
    await page.goto(server.url + own);
    await page.locator("a[href$='/forms/skin_score/Scr/0']").click();
    await scoreSkin(page, how.javaScriptEnabled !== false);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved.").first().waitFor();
    await fits(page);
    await enter(browser, server, study, own, WAYS.desk);
    await page.goto(`${server.url}${own}/forms/skin_score/M0/0`);
    check(!/\b[123]\b/.test(await page.locator(".item output").allInnerTexts().then((all) => all.join(" "))), "nothing of the score before stands on the form");
    await scoreSkin(page, how.javaScriptEnabled !== false);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved.").first().waitFor();
    const earlier = await page.request.get(`${server.url}${own}/forms/skin_score/Scr/0`);
    check(earlier.status() === 404, `the score before is out of sight: ${earlier.status()}`);
    return page;
  },

  /** A pharmacist hands out the kit that the vault chooses; in an open trial, counts the tablets that are handed out. */
  async pharmacist(browser, server, how, study) {
    const path = await screened(browser, server, study);
    await enter(browser, server, study, path, WAYS.desk);
    const page = await logIn(browser, server, "pharmacist.01", how);
    await page.goto(server.url + path);
    if (study === STUDIES.A) {
      await page.locator("#visit-M0 a[href*='/forms/drug_accountability/']").click();
      await fillForm(page);
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByText("Saved.").first().waitFor();
    } else {
      await page.locator("#kits").getByRole("button", { name: "Dispense the kit" }).first().click();
      await page.getByText(/Hand out kit \d+/).waitFor();
    }
    await fits(page);
    return page;
  },

  /** A custodian lays the slides of a finished trial out; a pathologist reads coded ones and nothing about whom they are from. */
  async pathologist(browser, _, how, study) {
    const server = await serveCopy(program, process.env.UNREAD_TRIALS);
    try {
      const custodian = await logIn(browser, server, "specimen_custodian", how);
      await custodian.goto(`${server.url}${study.path}/slides`);
      await fits(custodian);
      await custodian.getByRole("button", { name: "Lay the slides out" }).click();
      await custodian.getByRole("button", { name: "Lock the readings" }).waitFor();
      const page = await logIn(browser, server, "pathologist", how);
      await page.goto(`${server.url}${study.path}/slides`);
      await fits(page);
      const answer = await page.request.get(`${server.url}${study.path}/participants`);
      check(answer.status() === 404, "a pathologist sees no participants");
      const left = page.locator("h2 small");
      const before = parseInt(await left.innerText(), 10);
      const form = page.locator("form[action$='/read']");
      for (const field of await form.locator("input[inputmode]").all()) await field.fill(/%/.test(await field.evaluate((one) => one.closest("label").innerText)) ? "40" : "2");
      for (const group of await form.locator("fieldset").all()) await group.locator("input[type=radio]").first().press(" ");
      await form.getByRole("button", { name: "Save the reading" }).click();
      await page.getByText("What you have read").first().waitFor();
      check(parseInt(await left.innerText(), 10) === before - 1, "one slide fewer is left");
      check(!/\b\d\d-\d\d\d\b/.test(await page.locator("main").innerText()), "no participant's number is on the page");
      const faults = page.faults.concat(custodian.faults);
      check(faults.length === 0, faults.join("\n"));
      if (how.javaScriptEnabled !== false) {
        const found = await scan(page);
        check(found.length === 0, found.join("\n"));
      }
    } finally {
      for (const context of browser.contexts()) await context.close();
      server.stop();
    }
  },

  /** A data manager classifies what deviated, a statistician signs the sets, the data manager locks; the manifest is there. */
  async lock(browser, _, how, study) {
    const server = await serveCopy(program, process.env.FINISHED_TRIALS);
    try {
      const page = await logIn(browser, server, "data_manager", how);
      const closing = `${server.url}${study.path}/closing`;
      await page.goto(closing);
      await fits(page);
      const classify = page.getByRole("button", { name: "Classify" });
      while (await classify.count()) {
        await classify.click();
        await page.getByText("Done.").waitFor();
      }
      const statistician = await logIn(browser, server, "trial_statistician", how);
      await statistician.goto(closing);
      await statistician.locator("#sets").getByLabel("Password").fill(server.password);
      await statistician.getByRole("button", { name: "Sign the analysis sets" }).click();
      await statistician.locator("#sets .tag.done").waitFor();
      await page.goto(closing);
      const open = await page.locator(".checklist li.open").allInnerTexts();
      check(open.length === 0, `before the lock is open: ${open.join("; ")}`);
      await page.locator("form[action$='/lock'] input[name=password]").fill(server.password);
      await page.getByRole("button", { name: "Lock the database" }).click();
      await page.getByText("The database is locked, and the manifest is signed.").waitFor();
      check(await page.getByRole("link", { name: /^lock-\d+\.json$/ }).count() === 1, "the manifest is there");
      await fits(page);
      const late = await page.request.get(`${server.url}${study.path}`);
      check(late.status() === 200, "what is locked is still read");
      const faults = page.faults.concat(statistician.faults);
      check(faults.length === 0, faults.join("\n"));
    } finally {
      for (const context of browser.contexts()) await context.close();
      server.stop();
    }
  },

  /** A monitor opens a query and the coordinator answers it. */
  async monitor(browser, server, how, study) {
    const page = await logIn(browser, server, "monitor", how);
    await page.goto(`${server.url}${study.path}/participants`);
    await page.locator("tbody th a").first().click();
    const subject = new URL(page.url()).pathname;
    await page.locator("a.form.complete", { hasText: "Vital signs" }).first().click();
    await fits(page);
    const form = new URL(page.url()).pathname;
    await page.locator("summary", { hasText: "Open a query" }).click();
    await page.getByLabel("Asked of").selectOption("coordinator");
    await page.getByLabel("Question").fill("Is the weight with shoes?");
    await page.getByRole("button", { name: "Open the query" }).click();
    await page.getByText("The query is open.").waitFor();
    const site = subject.split("/").at(-1).split("-")[0];
    const coordinator = await logIn(browser, server, `coordinator.${site}`, how);
    await coordinator.goto(server.url + form);
    await coordinator.getByLabel("Answer").first().fill("Without.");
    await coordinator.getByRole("button", { name: "Answer the query" }).first().click();
    await coordinator.getByText("The query is answered.").waitFor();
    await page.goto(server.url + form);
    await page.getByRole("button", { name: "Close the query" }).first().click();
    await page.getByText("The query is closed.").waitFor();
    await page.locator("summary", { hasText: "Open again" }).first().click();
    await page.getByLabel("What is still to be settled").first().fill("And the height?");
    await page.getByRole("button", { name: "Open the query again" }).first().click();
    await page.getByText("The query is open again.").waitFor();
    await fits(page);
    return page;
  },

  /** A monitor plans source verification and verifies a visit; a correction of the site undoes what it touches. */
  async verification(browser, server, how, study) {
    const page = await logIn(browser, server, "monitor", how);
    await page.goto(`${server.url}${study.path}/verification`);
    await fits(page);
    const plan = page.locator("summary", { hasText: /Plan the verification|Change the plan/ });
    if (!(await page.getByLabel("Visits drawn, in 100").isVisible())) await plan.click();
    await page.getByLabel("Visits drawn, in 100").fill("30");
    await page.getByLabel("Everything of the first participants").fill("1");
    await page.getByLabel("Vital signs").check();
    await page.getByRole("button", { name: "Put the plan in force" }).click();
    await page.getByText("its sample is drawn").waitFor();
    const row = page.locator("tbody tr", { hasText: "Scr" }).first();
    await row.locator("th a").click();
    await fits(page);
    const sheet = new URL(page.url()).pathname;
    const subject = sheet.split("/sheet/")[0];
    await page.locator("input[name=item][value='vital_signs.0.weight']").check();
    await page.getByRole("button", { name: "What is ticked agrees with the source" }).click();
    await page.getByText("Verified: 1 item(s).").waitFor();
    const whole = page.getByRole("button", { name: "The whole visit agrees" });
    if (await whole.count()) {
      await whole.click();
      await page.getByText(/Verified: \d+ item/).waitFor();
    }
    check(!(await page.getByRole("button", { name: "The whole visit agrees" }).count()), "nothing of the visit is left");
    const site = subject.split("/").at(-1).split("-")[0];
    const coordinator = await logIn(browser, server, `coordinator.${site}`, how);
    await coordinator.goto(`${server.url}${subject}/forms/vital_signs/Scr/0`);
    const weight = coordinator.locator("input[name='i.weight']");
    await weight.fill((Number(await weight.inputValue()) + 0.1).toFixed(1));
    await coordinator.locator("input[name=reason]").first().fill("Typing error");
    await coordinator.getByRole("button", { name: "Save", exact: true }).click();
    await coordinator.getByText("Saved.").first().waitFor();
    await page.goto(server.url + sheet);
    check(await page.locator("tr", { has: page.locator("input[value='vital_signs.0.weight']") }).getByText("changed since").count() >= 1, "the change undid the verification");
    return page;
  },

  /** A data manager asks many at once after trying, reviews a visit, freezes it and opens it again. */
  async cleaning(browser, server, how) {
    const page = await logIn(browser, server, "data_manager", how);
    await page.goto(`${server.url}${A}/queries`);
    await fits(page);
    await page.getByRole("link", { name: "One question to many" }).click();
    await page.locator("select[name=form]").selectOption("vital_signs");
    await page.getByRole("button", { name: "List" }).click();
    await page.locator("select[name=item]").selectOption("weight");
    await page.locator("select[name=which]").selectOption("value");
    await page.getByRole("button", { name: "List" }).click();
    await fits(page);
    for (const box of (await page.locator("input[name=pick]").all()).slice(2)) await box.uncheck();
    await page.getByLabel("Question").fill("With shoes?");
    await page.getByLabel("Asked of").selectOption("coordinator");
    await page.getByRole("button", { name: "Try, without opening" }).click();
    await page.getByText("Would be opened:").waitFor();
    await page.getByRole("button", { name: "Open these queries" }).click();
    await page.getByText(/Queries opened: \d+/).waitFor();
    await page.goto(`${server.url}${A}/participants`);
    await page.locator("tbody th a").first().click();
    await page.locator("#visit-Scr").getByRole("link", { name: "Visit sheet" }).click();
    await fits(page);
    await page.getByRole("button", { name: "Everything here is reviewed" }).click();
    await page.getByText(/Reviewed: \d+ form/).waitFor();
    await page.getByRole("button", { name: "Freeze the visit" }).click();
    await page.getByText("Done.").waitFor();
    await page.getByLabel("Why, where something is taken back or opened again").fill("The source was found");
    await page.getByRole("button", { name: "Open the visit again" }).click();
    await page.getByText("Done.").waitFor();
    return page;
  },

  /** In an emergency an investigator opens one participant's envelope with the key from the safe. */
  async emergency(browser, server, how) {
    for (const site of ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10"]) {
      const page = await logIn(browser, server, `principal_investigator.${site}`, how);
      await page.goto(`${server.url}${B}/participants?status=on+treatment`);
      const first = page.locator("tbody th a").first();
      if (!(await first.count())) { await page.context().close(); continue; }
      await first.click();
      await page.getByRole("link", { name: "Emergency: break the blind" }).click();
      await fits(page);
      await page.getByLabel("Why").first().fill("Emergency surgery, bleeding");
      await page.getByLabel("Password").fill("not the right password");
      await page.getByRole("button", { name: "Open the envelope and record the break" }).click();
      await page.getByText("The password is not right").waitFor();
      await page.goBack();
      await page.getByLabel("Why").first().fill("Emergency surgery, bleeding");
      await page.getByLabel("Password").fill(server.password);
      await page.getByRole("button", { name: "Open the envelope and record the break" }).click();
      await page.getByText("The treatment of this participant is:").waitFor();
      check(/imatinib|placebo/i.test(await page.locator(".arm").innerText()), "the arm is named");
      await page.goto(page.url());
      check(!(await page.locator(".arm").count()), "it is shown once");
      await page.getByText("Emergency surgery, bleeding").first().waitFor();
      return page;
    }
    throw new Error("nobody is on treatment");
  },

  /** An investigator signs a visit: name and password first, printed name, time and meaning afterwards. */
  async signature(browser, server, how) {
    for (const [study, site] of [[A, "01"], ...["01", "02", "03", "04", "05", "06", "07", "08", "09", "10"].map((site) => [B, site])]) {
      const name = `principal_investigator.${site}`;
      const page = await logIn(browser, server, name, how);
      await page.goto(server.url + study);
      const link = page.locator("a[href*='/sign/']").first();
      if (!(await link.count())) { await page.context().close(); continue; }
      await link.click();
      const path = new URL(page.url()).pathname;
      await fits(page);
      await page.getByLabel(meaning).check();
      await page.getByLabel("Log-in name").fill(name);
      await page.getByLabel("Password").fill(server.password);
      await page.getByRole("button", { name: "Sign", exact: true }).click();
      await page.getByText("Signed.").waitFor();
      await page.goto(server.url + path);
      await page.getByText(meaning).waitFor();
      return page;
    }
    throw new Error("the training copies have no visit to sign");
  },

  /** An investigator adds a passkey, logs in with it alone and after the password, and signs with it. The key is in the browser's virtual authenticator. */
  async passkey(browser, server, how) {
    // Passkeys belong to a host name; this machine's own is localhost.
    const named = { ...server, url: server.url.replace("127.0.0.1", "localhost") };
    const clean = async (page) => {
      await fits(page);
      const found = await scan(page);
      check(found.length === 0, found.join("\n"));
    };
    for (const [study, site] of [[A, "01"], ...["01", "02", "03", "04", "05", "06", "07", "08", "09", "10"].map((site) => [B, site])]) {
      const name = `principal_investigator.${site}`;
      const page = await logIn(browser, named, name, how);
      await page.goto(named.url + study);
      if (!(await page.locator("a[href*='/sign/']").count())) { await page.context().close(); continue; }
      const devices = await page.context().newCDPSession(page);
      await devices.send("WebAuthn.enable");
      const { authenticatorId } = await devices.send("WebAuthn.addVirtualAuthenticator", {
        options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
      });
      await page.goto(`${named.url}/account`);
      await clean(page);
      const card = page.locator("#passkeys");
      await card.getByLabel("Password").fill(server.password);
      await card.getByLabel("Name of a new passkey").fill("office computer");
      await card.getByRole("button", { name: "Add a passkey" }).click();
      await page.getByRole("heading", { name: "A new passkey" }).waitFor();
      await clean(page);
      await page.getByRole("button", { name: "Make the passkey" }).click();
      await page.getByRole("heading", { name: "Recovery codes" }).waitFor();
      check(await page.locator(".codes li").count() === 8, "recovery codes are shown");
      await page.goto(`${named.url}/account`);
      await card.getByText("office computer").first().waitFor();
      await clean(page);
      const logOut = () => page.evaluate(() => document.querySelector("form[action='/log-out']").requestSubmit());
      await logOut();
      await page.waitForURL(/log-in$/);
      await clean(page);
      await page.getByRole("button", { name: "Log in with a passkey" }).click();
      await page.waitForURL((url) => !url.pathname.startsWith("/log-in"));
      // The password alone does not do any more.
      await logOut();
      await page.waitForURL(/log-in$/);
      await page.getByLabel("Log-in name").fill(name);
      await page.getByLabel("Password", { exact: true }).fill(server.password);
      await page.getByRole("button", { name: "Log in", exact: true }).click();
      await page.waitForURL(/log-in\/code$/);
      await clean(page);
      await page.getByRole("button", { name: "Use a passkey" }).click();
      await page.waitForURL((url) => !url.pathname.startsWith("/log-in"));
      // Nobody at the device: the page says so, and goes on once there is.
      await page.goto(named.url + study);
      await page.locator("a[href*='/sign/']").first().click();
      const path = new URL(page.url()).pathname;
      await clean(page);
      await page.getByLabel(meaning).check();
      await devices.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
      await page.getByRole("button", { name: "Use a passkey instead" }).click();
      await page.getByText("The passkey was not read").waitFor();
      await devices.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
      await page.getByRole("button", { name: "Use a passkey instead" }).click();
      await page.getByText("Signed.").waitFor();
      await page.goto(named.url + path);
      await page.getByText(meaning).waitFor();
      await page.goto(`${named.url}/account`);
      await page.getByRole("button", { name: "Français" }).click();
      await page.getByRole("heading", { name: "Clés d'accès" }).waitFor();
      await fits(page);
      await card.getByRole("button", { name: "Utiliser plutôt une clé d'accès" }).click();
      await card.getByText("Votre clé d'accès a été lue").waitFor();
      await card.getByRole("button", { name: "Retirer" }).click();
      await page.getByText("La clé d'accès a été retirée.").waitFor();
      await page.getByRole("button", { name: "English" }).click();
      return page;
    }
    throw new Error("the training copies have no visit to sign");
  },

  /** A data manager sees what stands between the trial and its lock. */
  async closing(browser, server, how) {
    const page = await logIn(browser, server, "data_manager", how);
    await page.goto(`${server.url}${A}/closing`);
    await fits(page);
    check(await page.locator(".checklist li").count() >= 6, "the list before the lock is there");
    const classify = page.getByRole("button", { name: "Classify" });
    if (await classify.count()) {
      await classify.click();
      await page.getByText("Done.").waitFor();
    }
    return page;
  },

  /** Two browsers on one form: the second is shown what changed and chooses. */
  async "two-editors"(browser, server, how) {
    const path = await screened(browser, server, STUDIES.A);
    const one = await logIn(browser, server, "coordinator.01", how);
    const form = `${server.url}${path}/forms/vital_signs/Scr/0`;
    const two = await logIn(browser, server, "principal_investigator.01", how);
    await one.goto(form);
    await two.goto(form);
    await one.locator("input[name='i.weight']").fill("70.0");
    await one.getByRole("button", { name: "Save", exact: true }).click();
    await one.getByText("Saved.").first().waitFor();
    await two.locator("input[name='i.weight']").fill("80.0");
    await two.getByRole("button", { name: "Save", exact: true }).click();
    await two.getByText("Nothing was overwritten").first().waitFor();
    await two.getByText("Leave that").first().click();
    await two.getByRole("button", { name: "Save", exact: true }).click();
    await two.goto(form);
    check(await two.locator("input[name='i.weight']").inputValue() === "70.0", "what was first saved stands");
    return two;
  },

  /** From an empty live installation to the first consent: people, tests, approvals, wordings, ethics. */
  async golive(browser, _, how) {
    const live = await serveLive(program, "../studies/imatinib-open");
    try {
      const { url, token, password } = live;
      const root = await open(browser, how);
      await root.goto(`${url}/set-up`);
      const fill = async (page, fields) => { for (const [name, text] of Object.entries(fields)) await page.locator(`input[name="${name}"]`).fill(text); };
      await fill(root, { "set-up-token": token, login: "anna.berg", "printed-name": "Anna Berg", password, "password-again": password });
      await root.getByRole("button", { name: "Set up" }).click();
      await root.waitForURL((to) => !to.pathname.startsWith("/set-up"));
      const administration = () => root.goto(`${url}/administration`);
      await administration();
      await root.getByRole("button", { name: "Open the record" }).click();
      await root.getByText("record open since").waitFor();
      const invite = async (name, login) => {
        await administration();
        await root.getByText("Add a person").click();
        await fill(root, { "printed-name": name, login });
        await root.getByRole("button", { name: "Add and make the invitation" }).click();
        const link = await root.locator("#invitation-link").textContent();
        const guest = await open(browser, how);
        await guest.goto(link);
        await fill(guest, { password, "password-again": password });
        await guest.getByRole("button", { name: "Go on" }).click();
        await guest.waitForURL((to) => !to.pathname.startsWith("/invitation"));
        await guest.context().close();
      };
      const give = async (name, role, site) => {
        await administration();
        const person = await root.locator("select[name=person] option", { hasText: name }).getAttribute("value");
        await root.locator("select[name=person]").selectOption(person);
        await root.locator("select[name=role]").selectOption(role);
        if (site) await root.locator(`input[name=site][value="${site}"]`).check();
        await root.getByRole("button", { name: "Delegate from today" }).click();
        await root.getByText("Done.").waitFor();
        await root.getByRole("row", { name }).getByRole("button", { name: "Record the training" }).click();
        await root.getByText("Done.").waitFor();
      };
      await invite("Vera Ek", "vera.ek");
      for (const [name, login, role, site] of [
        ["Dora Lind", "dora.lind", "data_manager"], ["Stan Moe", "stan.moe", "trial_statistician"], ["Ida Pers", "ida.pers", "principal_investigator", "01"],
      ]) {
        await invite(name, login);
        await give(name, role, site);
      }
      // The second administrator verifies who they are; each accepts the signature.
      await administration();
      await root.getByRole("link", { name: "Vera Ek" }).click();
      await root.getByRole("button", { name: "Make an administrator" }).click();
      await root.getByRole("button", { name: "No longer an administrator" }).waitFor();
      const vera = await logIn(browser, live, "vera.ek", how);
      for (const name of ["Dora Lind", "Stan Moe"]) {
        await vera.goto(`${url}/administration`);
        await vera.getByRole("link", { name }).click();
        await vera.getByRole("button", { name: "I have verified this person's identity" }).click();
        await vera.getByText("identity verified").first().waitFor();
      }
      const page = `${url}${A}/go-live`;
      const approve = async (who) => {
        await who.goto(`${url}/account`);
        const form = who.locator("form[action='/account/signature']");
        await form.locator("input[name=password]").fill(password);
        await form.getByRole("button", { name: "I accept" }).click();
        await who.goto(page);
        for (const part of ["eligibility", "schedule"]) await who.locator(`input[name=part][value=${part}]`).check();
        await who.locator("form[action$='/approve'] input[name=password]").fill(password);
        await who.getByRole("button", { name: "Approve" }).click();
        await who.getByText("Done.").waitFor();
      };
      const dora = await logIn(browser, live, "dora.lind", how);
      await dora.goto(page);
      await dora.locator("textarea[name=evidence]").fill("Every form filled on the training copy; notes in binder 3.");
      await dora.locator("form[action$='/test'] input[name=password]").fill(password);
      await dora.getByRole("button", { name: "Record the test" }).click();
      await dora.getByText("notes in binder 3").waitFor();
      await approve(dora);
      await approve(await logIn(browser, live, "stan.moe", how));
      await root.goto(page);
      for (const instrument of ["haq_di", "shaq_vas", "sf36"]) {
        const made = spawnSync(program, ["pack", "new", instrument, "--language", "en"], { encoding: "utf8" });
        await root.locator("textarea[name=pack]").fill(made.stdout.replaceAll('""', '"words under licence"'));
        await root.getByRole("button", { name: "Load", exact: true }).click();
        await root.getByText("Done.").waitFor();
      }
      check(!(await root.getByRole("button", { name: "Let the site begin" }).count()), "no site begins before its ethics approval");
      await root.getByText("Record the ethics approval").first().click();
      await root.locator("input[name=approved]").fill("2020-01-31");
      await root.locator("input[name=reference]").fill("2020-A-017");
      await root.locator("form[action$='/ethics'] button").click();
      await root.getByText("2020-A-017").waitFor();
      await fits(root);
      if (how.javaScriptEnabled !== false) {
        const found = await scan(dora);
        check(found.length === 0, found.join("\n"));
      }
      await root.getByRole("button", { name: "Let the site begin" }).click();
      await root.getByText("live since").waitFor();
      const ida = await logIn(browser, live, "ida.pers", how);
      await ida.goto(`${url}${A}/consent`);
      await ida.getByRole("button", { name: "Record the consent" }).click();
      await ida.waitForURL(/participants\/01-001/);
      const faults = root.faults.concat(dora.faults, ida.faults);
      check(faults.length === 0, faults.join("\n"));
    } finally {
      for (const context of browser.contexts()) await context.close();
      live.stop();
    }
  },

  /** axe finds nothing serious on the pages of each role: filled, in error, and of studies that nobody has entered yet. */
  async scans(browser, server, how) {
    await scanAll(browser, server, how, true);
    const empty = await serve(program, ["--data", process.env.EMPTY_TRIALS]);
    try {
      await scanAll(browser, empty, how, false);
    } finally {
      empty.stop();
    }
  },

  /** The same once both trials are locked; the folder with them is named by the environment. */
  async locked(browser, server, how) {
    const locked = await serve(program, ["--data", process.env.LOCKED_TRIALS]);
    try {
      const page = await logIn(browser, locked, "data_manager", how);
      await page.goto(`${locked.url}${A}/closing`);
      check(await page.locator("main").getByText(/locked/i).count() > 0, "the trial is locked");
      await page.context().close();
      await scanAll(browser, locked, how, false);
    } finally {
      locked.stop();
    }
  },
};

/** Every page that anybody with a seat is led to, as it is, and with what can't be used typed into its forms. */
async function scanAll(browser, server, how, changing) {
  const found = [];
  const people = [
    "coordinator.01", "principal_investigator.01", "skin_assessor.01", "pharmacist.01", "monitor", "data_manager",
    "pathologist", "specimen_custodian", "trial_statistician", "sponsor_physician", "unblinded_statistician", "inspector",
    "administrator",
  ];
  for (const name of people) {
    let page;
    try {
      page = await logIn(browser, server, name, how);
    } catch (error) {
      throw new Error(`${name} can't log in: ${error}`);
    }
    const look = async (path) => {
      const answer = await page.goto(server.url + path);
      if (answer.status() >= 500) found.push(`${name} ${path}: ${answer.status()}`);
      for (const line of await scan(page)) found.push(`${name} ${path}: ${line}`);
      for (const line of page.faults.splice(0)) if (!/404|400|409/.test(line)) found.push(`${name} ${path}: ${line}`);
    };
    const api = await (await page.request.get(`${server.url}/openapi.json`)).json();
    const plain = Object.entries(api.paths).filter(([path, methods]) => methods.get && !path.includes("{")).map(([path]) => path);
    for (const path of plain.filter((path) => !/json|health/.test(path))) await look(path);
    for (const study of [A, B]) {
      const below = Object.entries(api.paths)
        .filter(([path, methods]) => methods.get && path.startsWith("/studies/{study}") && !/\{subject\}|csv|\.ics|download/.test(path))
        .map(([path]) => path.replace("/studies/{study}", study));
      const ready = below.filter((path) => !path.includes("{"));
      for (const path of ready) await look(path);
      await page.goto(`${server.url}${study}/participants?sort=queries`);
      const first = page.locator("tbody th a").first();
      if (!(await first.count())) continue;
      const subject = await first.getAttribute("href");
      await look(subject);
      // One page of each kind that the participant's page leads to, and what is not there.
      const ways = await page.locator("main a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
      const kinds = ["/sheet/", "/sign/", "/trends", "/break-blind"];
      const led = kinds.map((kind) => ways.find((href) => href?.includes(kind))).filter(Boolean);
      for (const way of led) await look(way);
      await look(`${study}/participants/00-000`);
      await page.goto(server.url + subject);
      const forms = await page.locator("a.form").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
      const byForm = new Map(forms.map((form) => [form.split("/forms/")[1].split("/")[0], form]));
      const some = [...byForm.values()].slice(0, name.startsWith("coordinator") ? 40 : 4);
      for (const form of some) await look(form);
      // What comes back when a form holds what can't be used.
      if (!changing) continue;
      for (const path of [...ready, subject, ...led, ...some.slice(0, 2)]) {
        await page.goto(server.url + path);
        const form = page.locator("main form[method=post]:has(input:not([type=hidden]):not([type=password]):not([type=radio]):not([type=checkbox]):visible)").first();
        if (!(await form.count())) continue;
        for (const field of await form.locator("input:not([type=hidden]):not([type=radio]):not([type=checkbox]):not([type=date]):visible").all()) {
          await field.fill("?").catch(() => {});
        }
        await form.evaluate((form) => { form.noValidate = true; });
        const button = form.locator("button").last();
        if (!(await button.isVisible())) continue;
        await button.click();
        await page.waitForLoadState();
        for (const line of await scan(page)) found.push(`${name} ${path} in error: ${line}`);
        for (const line of page.faults.splice(0)) if (!/40[0-9]/.test(line)) found.push(`${name} ${path} in error: ${line}`);
      }
    }
    if (name === "administrator") { await look("/administration/people/monitor"); await look("/no/such/page"); }
    await page.context().close();
  }
  check(found.length === 0, `axe or the console found:\n${[...new Set(found)].join("\n")}`);
}

const [program, ...names] = process.argv.slice(2);
const server = await serve(program);
const browser = await launch();
let failed = false;
try {
  for (const asked of names) {
    const [whose, way = "desk"] = asked.split(":");
    const [name, study = "A"] = whose.split("@");
    const began = Date.now();
    try {
      const page = await journeys[name](browser, server, WAYS[way], STUDIES[study]);
      if (page) {
        if (way !== "no-scripts") {
          const found = await scan(page);
          check(found.length === 0, found.join("\n"));
        }
        const faults = page.faults.filter((fault) => !/status of 40[0-9]/.test(fault));
        check(faults.length === 0, faults.join("\n"));
      }
      console.log(`${asked} ok ${((Date.now() - began) / 1000).toFixed(1)} s`);
    } catch (error) {
      failed = true;
      console.log(`${asked} FAILED: ${error.stack ?? error}`);
    }
    for (const context of browser.contexts()) await context.close();
  }
} finally {
  await browser.close();
  server.stop();
}
process.exit(failed ? 1 : 0);
