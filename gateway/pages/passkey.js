// The passkey page: a code in, the browser's own dialog, the answer back. Contract: gateway/pages/__init__.py

const REQUESTS = {
  register: {
    title: "Create a passkey",
    text: "Your browser will ask where to keep it: on this device, on your phone or on a security key.",
    button: "Create passkey",
    done: "Passkey created",
  },
  "sign-in": {
    title: "Sign in with a passkey",
    text: "This signs in the console that shows the code below. If you did not open that console, cancel.",
    button: "Use passkey",
    done: "Passkey accepted",
  },
  prove: {
    title: "Confirm it is you",
    text: "The console that shows the code below asks you to confirm a change with your passkey.",
    button: "Use passkey",
    done: "Confirmed",
  },
};

const DIALOG_PROBLEMS = {
  NotAllowedError: [
    "Nothing was confirmed",
    "You cancelled, the time ran out, or this device could not check that it is you. Passkeys need a PIN, a fingerprint or your face; set one up if you have none, then try again.",
  ],
  InvalidStateError: [
    "This device has a passkey already",
    "It holds one for this account. Use another device, or remove the old passkey in the console first.",
  ],
  SecurityError: [
    "This address does not fit",
    "Passkeys are set up for another address than this page’s. Open the address exactly as your console shows it, or ask the administrator to run gatekey doctor.",
  ],
  NotSupportedError: [
    "This device cannot make such a passkey",
    "It offers no kind of key that is accepted here. Use another device.",
  ],
  ConstraintError: [
    "This device cannot check that it is you",
    "Set up a PIN, a fingerprint or face unlock on it, or use another device.",
  ],
};

const UNKNOWN = ["Something went wrong", "Your browser could not carry this out. Try again, or use another browser."];
const OFFLINE = ["The server cannot be reached", "Check your connection, and the ssh tunnel if you use one, then try again."];
const NO_ANSWER = ["The server did not understand", "Load this page again. If that does not help, tell the administrator."];
const EXPIRED = ["The code has expired", "Start again in the console; it shows a new code."];
const NO_CODE = ["The code is missing", "Enter the code that your console shows."];
const INSECURE = [
  "Passkeys do not work at this address",
  "Browsers allow them over https, or on localhost. Open the address exactly as your console shows it.",
];
const TOO_OLD = ["This browser is too old", "It cannot use passkeys on this page. Update it, or use another browser."];

const STEPS = ["enter", "confirm", "done"];
const ANSWER_MS = 20_000;

class Problem extends Error {
  constructor([title, sentence], isFinal = false) {
    super(sentence);
    this.title = title;
    this.isFinal = isFinal; // the server has decided: the code is used up
  }
}

let request = null; // what the person is asked to confirm: {code, purpose, publicKey, user, deadline}
let ticking = 0;

const find = (id) => document.getElementById(id);
const say = (text) => { find("status").textContent = text; };

function show(step) {
  for (const each of STEPS) {
    find(each).hidden = each !== step;
    if (each === step) find(`step-${each}`).setAttribute("aria-current", "step");
    else find(`step-${each}`).removeAttribute("aria-current");
  }
}

function showProblem(problem) {
  find("problem").hidden = !problem;
  find("problem-title").textContent = problem ? problem.title : "";
  find("problem-sentence").textContent = problem ? problem.message : "";
}

function startOver(problem) {
  clearInterval(ticking);
  request = null;
  show("enter");
  say("");
  showProblem(problem);
  find("code").value = "";
  find("code").focus();
}

function setBusy(busy) {
  for (const id of ["continue", "proceed", "back"]) find(id).disabled = busy;
}

async function post(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch {
    throw new Problem(OFFLINE);
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  const error = answer?.error;
  throw new Problem(error?.title && error?.sentence ? [error.title, error.sentence] : NO_ANSWER, true);
}

async function enterCode(event) {
  event.preventDefault();
  const code = find("code").value.trim().toUpperCase();
  find("code").setAttribute("aria-invalid", String(!code));
  if (!code) {
    showProblem(new Problem(NO_CODE));
    find("code").focus();
    return;
  }
  showProblem(null);
  setBusy(true);
  say("Checking the code…");
  try {
    const answer = await post("/passkey/api/options", { code });
    if (!REQUESTS[answer.purpose] || !answer.publicKey) throw new Problem(NO_ANSWER);
    request = { ...answer, code, deadline: performance.now() + answer.expires_in * 1000 };
    askToConfirm();
  } catch (error) {
    showProblem(asProblem(error));
    find("code").focus();
  } finally {
    setBusy(false);
    say("");
  }
}

function askToConfirm() {
  const words = REQUESTS[request.purpose];
  find("confirm-title").textContent = words.title;
  find("confirm-text").textContent = words.text;
  find("proceed").textContent = words.button;
  find("account-row").hidden = !request.user;
  find("account").textContent = request.user;
  find("shown-code").textContent = request.code;
  find("address").textContent = location.host;
  clearInterval(ticking);
  ticking = setInterval(tick, 1000);
  tick();
  show("confirm");
  find("confirm-title").focus();
}

function tick() {
  const left = Math.max(0, Math.ceil((request.deadline - performance.now()) / 1000));
  find("time-left").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  if (left === 0 && !find("proceed").disabled) startOver(new Problem(EXPIRED));
}

async function proceed() {
  showProblem(null);
  setBusy(true);
  say("Waiting for your device…");
  try {
    const credential = await askDevice();
    say("Checking the passkey…");
    finish(await post("/passkey/api/finish", { code: request.code, credential }));
  } catch (error) {
    const problem = asProblem(error);
    if (problem.isFinal) startOver(problem);
    else showProblem(problem); // the code is still good: the same step can be tried again
  } finally {
    setBusy(false);
    say("");
    if (request) tick();
  }
}

async function askDevice() {
  const left = Math.max(1000, request.deadline - performance.now());
  const options = { ...request.publicKey, timeout: Math.min(request.publicKey.timeout, left) };
  const credential = request.purpose === "register"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return credential.toJSON();
}

function finish(answer) {
  clearInterval(ticking);
  find("done-title").textContent = REQUESTS[request.purpose].done;
  find("done-text").textContent = answer.sentence || "Your console goes on by itself. You can close this window.";
  request = null;
  show("done");
  find("done-title").focus();
}

function asProblem(error) {
  return error instanceof Problem ? error : new Problem(DIALOG_PROBLEMS[error?.name] ?? UNKNOWN);
}

function fillIn() {
  // The code travels in the fragment, which no server sees; it does not stay in the history either.
  const code = location.hash.replace(/[^A-Za-z0-9-]/g, "").slice(0, 24);
  if (!code) return;
  history.replaceState(null, "", location.pathname);
  if (request || !find("done").hidden) startOver(null);
  find("code").value = code;
}

function start() {
  const isNew = window.PublicKeyCredential?.parseCreationOptionsFromJSON && AbortSignal.timeout;
  if (!window.isSecureContext || !isNew) {
    find("enter").hidden = true;
    showProblem(new Problem(window.isSecureContext ? TOO_OLD : INSECURE));
    return;
  }
  find("code-form").addEventListener("submit", enterCode);
  find("proceed").addEventListener("click", proceed);
  find("back").addEventListener("click", () => startOver(null));
  window.addEventListener("hashchange", fillIn);
  fillIn();
  find(find("code").value ? "continue" : "code").focus();
}

start();
