// Makes passkeys and signs in by them: hands to the browser what the server asks for, and its answer back.
"use strict";

(() => {
  // Browsers have passkeys over https alone, and for names.
  const possible = window.PublicKeyCredential && navigator.credentials && !/^[\d.]+$|:/.test(location.hostname);
  const lang = document.documentElement.lang;
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

  async function send(path, body, type) {
    const headers = { "content-type": type };
    const token = document.querySelector("meta[name=csrf]")?.content;
    if (token) headers["x-csrf-token"] = token;
    const response = await fetch(`${path}?lang=${lang}`, { method: "POST", headers, body, redirect: "follow" });
    if (response.ok) return response;
    const told = await response.text();
    let why = told;
    try { why = JSON.parse(told).trouble ?? told; } catch { /* it is a sentence */ }
    throw new Error(why);
  }

  function asked(options) {
    const key = options.publicKey;
    key.challenge = bytes(key.challenge);
    if (key.user) key.user.id = bytes(key.user.id);
    for (const known of [...(key.excludeCredentials ?? []), ...(key.allowCredentials ?? [])]) known.id = bytes(known.id);
    return options;
  }

  function answer(made) {
    const { clientDataJSON, attestationObject, authenticatorData, signature, userHandle } = made.response;
    const fields = { clientDataJSON, attestationObject, authenticatorData, signature, userHandle };
    const response = Object.fromEntries(Object.entries(fields).filter(([, value]) => value).map(([name, value]) => [name, text(value)]));
    const transports = made.response.getTransports?.();
    if (transports) response.transports = transports;
    return { id: made.id, rawId: text(made.rawId), type: made.type, response, extensions: made.getClientExtensionResults() };
  }

  // What somebody stopped, or a browser would not do, is told in the page's own words.
  function tell(form, error) {
    const trouble = form.querySelector("[data-trouble]");
    trouble.textContent = error.name === "Error" ? error.message : form.dataset.stopped;
    trouble.hidden = false;
  }

  async function run(form, begin, ask, end) {
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const begun = await (await send(...begin)).json();
      const made = await ask(asked(begun.options));
      const body = JSON.stringify({ ceremony: begun.ceremony, credential: answer(made), to: form.dataset.to ?? "" });
      const response = await send(end, body, "application/json");
      location.assign(response.redirected ? response.url : (await response.json()).to + `?lang=${lang}`);
    } catch (error) {
      tell(form, error);
      button.disabled = false;
    }
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!possible) continue;
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (form.dataset.passkey === "make") {
        const fields = new URLSearchParams(new FormData(form)).toString();
        run(form, ["/passkeys/begin", fields, "application/x-www-form-urlencoded"],
          (options) => navigator.credentials.create(options), "/passkeys/confirm");
      } else {
        run(form, ["/sign-in/passkey/begin", "", "application/x-www-form-urlencoded"],
          (options) => navigator.credentials.get(options), "/sign-in/passkey");
      }
    });
  }
})();
