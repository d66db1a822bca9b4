// Passkeys (WebAuthn). [data-passkey] holds a hidden part of a page that appears where the browser can do it:
//   data-passkey   "use" or "make"
//   data-begin, data-finish   where the challenge comes from and where the answer goes
//   data-next      the page to go on to, told to the server, which decides
//   data-quietly   also offer passkeys in the field's own list, while nobody has pressed the button
// Inside: one button, and a [data-passkey-said] for what went wrong; data-no on it is the sentence for "not done".
const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

let waiting = null; // the quiet offer, to be withdrawn when the button is pressed
let leaving = false; // a form or an answer is on its way: nothing else begins
document.addEventListener("submit", () => {
  leaving = true;
  waiting?.abort();
});
window.addEventListener("pageshow", () => (leaving = false));

async function send(address, body, signal) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
    body: JSON.stringify(body),
    signal,
  });
  const said = await answer.json().catch(() => ({}));
  if (said.next && !answer.ok) location.assign(said.next);
  return { ok: answer.ok, said };
}

function opened(options) {
  const list = (found) => (found || []).map((one) => ({ ...one, id: toBytes(one.id) }));
  options.challenge = toBytes(options.challenge);
  if (options.user) options.user.id = toBytes(options.user.id);
  if (options.excludeCredentials) options.excludeCredentials = list(options.excludeCredentials);
  if (options.allowCredentials) options.allowCredentials = list(options.allowCredentials);
  return options;
}

function closed(credential) {
  const { response } = credential;
  const kept = { clientDataJSON: toText(response.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"])
    if (response[part]) kept[part] = toText(response[part]);
  if (response.getTransports) kept.transports = response.getTransports();
  return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response: kept };
}

async function run(part, { quietly = false } = {}) {
  if (leaving) return;
  const make = part.dataset.passkey === "make";
  const said = part.querySelector("[data-passkey-said]");
  said.hidden = true;
  waiting?.abort();
  const stop = (waiting = new AbortController());
  const begun = await send(part.dataset.begin, {}, stop.signal);
  if (!begun.ok) return quietly || begun.said.next ? undefined : say(said, said.dataset.no);
  const asked = { publicKey: opened(begun.said), signal: stop.signal };
  if (quietly) asked.mediation = "conditional";
  let credential;
  try {
    credential = await (make ? navigator.credentials.create(asked) : navigator.credentials.get(asked));
  } catch (error) {
    if (quietly || stop.signal.aborted) return;
    return say(said, error.name === "InvalidStateError" ? said.dataset.there : said.dataset.no);
  }
  if (leaving || stop.signal.aborted) return;
  leaving = true;
  const finished = await send(part.dataset.finish, { ...closed(credential), next: part.dataset.next || "" });
  if (finished.ok) return location.assign(finished.said.next);
  leaving = false;
  say(said, finished.said.sentence || said.dataset.no);
}

function say(place, sentence) {
  place.textContent = sentence;
  place.hidden = false;
}

if (window.PublicKeyCredential && window.isSecureContext) {
  for (const part of document.querySelectorAll("[data-passkey]")) {
    part.hidden = false;
    const button = part.querySelector("button");
    button.addEventListener("click", async () => {
      button.setAttribute("aria-busy", "true");
      try {
        await run(part);
      } catch {
        leaving = false;
        const said = part.querySelector("[data-passkey-said]");
        say(said, said.dataset.no);
      } finally {
        button.removeAttribute("aria-busy");
      }
    });
    if ("quietly" in part.dataset)
      PublicKeyCredential.isConditionalMediationAvailable?.()
        .then((can) => can && run(part, { quietly: true }))
        .catch(() => {});
  }
}
