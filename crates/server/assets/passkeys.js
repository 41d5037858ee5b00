// Passkeys: asks the browser for a key's proof and puts it into the form that needs it. Without scripts there are password and code.
(function () {
  "use strict";
  if (!window.PublicKeyCredential) return;

  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => buffer ? btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") : null;

  /** The options as they came, with bytes where the browser wants bytes. */
  function options({ publicKey }) {
    for (const [name, value] of Object.entries(publicKey)) if (value === null) delete publicKey[name];
    publicKey.challenge = bytes(publicKey.challenge);
    if (publicKey.user) publicKey.user.id = bytes(publicKey.user.id);
    for (const one of [...(publicKey.allowCredentials ?? []), ...(publicKey.excludeCredentials ?? [])]) one.id = bytes(one.id);
    return { publicKey };
  }

  /** What the key answered, as text. */
  function answer(made) {
    const response = { clientDataJSON: text(made.response.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[part]) response[part] = text(made.response[part]);
    }
    return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response, extensions: {} });
  }

  /** Puts the answer into the form; what else would prove the person is no longer asked for. */
  function give(form, made) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "passkey";
    field.value = answer(made);
    form.append(field);
    for (const other of form.querySelectorAll("[type=password][autocomplete=current-password], [autocomplete=username], [autocomplete=one-time-code]")) {
      other.required = false;
      if (other.type !== "hidden") other.disabled = true;
    }
    const buttons = form.querySelectorAll("button:not([type=button], [form])");
    const done = form.querySelector("[data-passkey-done]");
    if (buttons.length > 1 && done) { done.hidden = false; done.focus(); return; }
    form.requestSubmit(buttons[0]);
  }

  async function attempt(button, ask) {
    const form = button.form;
    const fault = form.querySelector("[data-passkey-fault]");
    fault.hidden = true;
    button.disabled = true;
    try {
      give(form, await ask(form));
    } catch {
      fault.hidden = false;
      button.disabled = false;
    }
  }

  for (const part of document.querySelectorAll("[data-passkey-part]")) part.hidden = false;
  for (const button of document.querySelectorAll("[data-passkey]")) {
    button.addEventListener("click", () => attempt(button, async (form) => {
      const fields = { "form-token": form.elements["form-token"].value, do: "ask", for: new URL(form.action).pathname };
      const reply = await fetch(button.dataset.passkey, { method: "POST", body: new URLSearchParams(fields) });
      if (!reply.ok) throw new Error(String(reply.status));
      return navigator.credentials.get(options(await reply.json()));
    }));
  }
  for (const button of document.querySelectorAll("[data-passkey-make]")) {
    button.addEventListener("click", () => attempt(button, (form) => navigator.credentials.create(options(JSON.parse(form.dataset.passkeyOptions)))));
  }
})();
