// What pages gain with scripts. Everything here has a way without: the plain form underneath.
(function () {
  "use strict";

  // The summary of what is wrong takes the focus, so that it is read first.
  const focus = document.querySelector("[data-focus]");
  if (focus) focus.focus();

  // Menus close when something else is pressed, or on Escape.
  const menus = document.querySelectorAll(".person, .role details");
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus) if (menu.open) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // A line for a visual analogue scale beside its number; each follows the other.
  for (const line of document.querySelectorAll("[data-scale]")) {
    const number = document.getElementById("field-" + line.dataset.scale);
    const slider = line.querySelector("input");
    if (!number || !slider) continue;
    line.hidden = false;
    slider.addEventListener("input", () => {
      number.value = slider.value;
      number.dispatchEvent(new Event("change", { bubbles: true }));
    });
    number.addEventListener("input", () => { if (number.value !== "") slider.value = number.value; });
  }

  // A reason for a missing value takes the value away, and a value the reason.
  const form = document.querySelector("form[data-entry]");
  if (!form) return;
  let dirty = false;
  form.addEventListener("input", () => { dirty = true; });
  form.addEventListener("submit", () => { dirty = false; });
  window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
  form.addEventListener("change", (event) => {
    const name = event.target.name || "";
    const item = name.slice(2).split(".")[0];
    if (name.startsWith("m.")) {
      event.target.classList.toggle("chosen", event.target.value !== "");
      if (event.target.value === "") return;
      for (const field of form.querySelectorAll(`[name="i.${item}"], [name^="i.${item}."]`)) {
        if (field.type === "radio") field.checked = false; else field.value = "";
      }
      paint(item);
    } else if (name.startsWith("i.")) {
      const why = form.querySelector(`select[name="m.${item}"]`);
      if (why && event.target.value !== "") { why.value = ""; why.classList.remove("chosen"); }
      paint(item);
    }
  });

  // The body map: each site is a button that sets the same choice as the table.
  const score = (item) => form.querySelector(`input[name="i.${item}"]:checked`)?.value ?? "";
  function paint(item) {
    for (const region of form.querySelectorAll(`.region[data-item="${item}"]`)) {
      const now = score(item);
      region.setAttribute("class", "region s" + now);
      const said = region.dataset.label + ("back" in region.dataset ? ", back" : "") + ": " + (now === "" ? "–" : now);
      region.querySelector("title").textContent = said;
      region.setAttribute("aria-label", said);
    }
  }
  function set(item, value) {
    const choice = form.querySelector(`input[name="i.${item}"][value="${value}"]`);
    if (!choice) return;
    choice.checked = true;
    choice.dispatchEvent(new Event("input", { bubbles: true }));
    choice.dispatchEvent(new Event("change", { bubbles: true }));
  }
  for (const region of form.querySelectorAll(".region")) {
    const item = region.dataset.item;
    region.setAttribute("role", "button");
    region.setAttribute("tabindex", "0");
    paint(item);
    region.addEventListener("click", () => set(item, score(item) === "" ? 0 : (Number(score(item)) + 1) % 4));
    region.addEventListener("keydown", (event) => {
      if (["0", "1", "2", "3"].includes(event.key)) set(item, event.key);
      else if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        region.dispatchEvent(new Event("click", { bubbles: true }));
      }
    });
    const row = document.getElementById("item-" + item);
    for (const [on, off] of [["mouseenter", "mouseleave"], ["focus", "blur"]]) {
      region.addEventListener(on, () => row && row.classList.add("at"));
      region.addEventListener(off, () => row && row.classList.remove("at"));
    }
  }
})();
