// What the browser does for a session: remember its key, say when the server is lost and come back, ask before leaving.
const EVERY = 2000; // ms between two looks at the connection
const MISSED = 5; // looks without a word of the server after which it counts as lost
const SESSION = `acgen-session ${location.pathname}`; // of this tab, over reloads
const KNOWN = `acgen-sessions ${location.pathname}`; // of this browser, the newest first
const MOST = 8;

function read(storage, name, otherwise) {
  try {
    return JSON.parse(storage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(storage, name, value) {
  try {
    storage.setItem(name, JSON.stringify(value));
  } catch {
    // Without storage there is no session to come back to.
  }
}

function banner(words) {
  const element = document.createElement("div");
  element.className = "acgen-connection";
  element.setAttribute("role", "alert");
  element.textContent = words;
  element.style.cssText =
    "position:fixed;inset:0 0 auto 0;z-index:5000;padding:10px;text-align:center;font:500 14px sans-serif;" +
    "color:#fff;background:#b3261e;";
  document.body.append(element);
  return element;
}

function elsewhere(words, label) {
  const element = document.createElement("div");
  element.className = "acgen-elsewhere";
  element.setAttribute("role", "alertdialog");
  element.setAttribute("aria-label", words);
  element.style.cssText =
    "position:fixed;inset:0;z-index:5000;display:flex;flex-direction:column;gap:16px;align-items:center;" +
    "justify-content:center;font:500 16px sans-serif;color:#fff;background:rgba(20,30,45,0.85);";
  const button = document.createElement("button");
  button.textContent = label;
  button.style.cssText = "font:inherit;padding:8px 20px;border:0;border-radius:6px;cursor:pointer;";
  element.append(words, button);
  document.body.append(element);
  button.focus();
  return button;
}

// Whether the server answers: by a file that every page loads, which makes no session.
async function answers() {
  const probe = document.querySelector("script[src]").src;
  try {
    const reply = await fetch(probe, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(5000) });
    return reply.ok;
  } catch {
    return false;
  }
}

export function render({ model }) {
  let missed = 0; // looks since the server was heard
  let closed = false; // whether the socket is
  let unsaved = false;
  let leaving = false;
  let shown = null; // the banner

  function reload() {
    leaving = true;
    location.reload();
  }

  async function look() {
    missed += 1;
    if (leaving || (!closed && missed <= MISSED && navigator.onLine)) {
      if (!leaving) shown = shown && shown.remove();
      return;
    }
    shown ??= banner("Disconnected from the server … reconnecting. A run goes on there.");
    if ((await answers()) && (closed || missed > 2 * MISSED)) reload();
  }

  async function watch() {
    for (;;) {
      await new Promise((done) => setTimeout(done, closed ? EVERY / 2 : EVERY));
      await look();
    }
  }

  model.on("msg:custom", (event) => {
    const told = event.data ?? event;
    missed = 0;
    if (told.key) write(sessionStorage, SESSION, told.key);
    if (told.remember) {
      const others = read(localStorage, KNOWN, []).filter((key) => key !== told.remember);
      write(localStorage, KNOWN, [told.remember, ...others].slice(0, MOST));
    }
    if (told.unsaved !== undefined) unsaved = told.unsaved;
    if (told.address !== undefined) history.replaceState(history.state, "", location.pathname + told.address);
    if (told.elsewhere) {
      leaving = true;
      elsewhere(told.elsewhere, told.label).addEventListener("click", reload);
    }
  });
  Bokeh.documents[0].on_event("connection_lost", () => {
    closed = true;
    look();
  });
  addEventListener("offline", look);
  addEventListener("keydown", (event) => {
    // What is asked by a key to be loaded again comes back as it was: nobody need be asked.
    const again = event.key === "F5" || (event.key.toLowerCase() === "r" && (event.ctrlKey || event.metaKey));
    if (again && !event.defaultPrevented) {
      leaving = true;
      setTimeout(() => (leaving = false), 1000);
    }
  });
  addEventListener("beforeunload", (event) => {
    if (unsaved && !leaving) event.preventDefault();
  });

  const [entry] = performance.getEntriesByType("navigation");
  const again = entry !== undefined && (entry.type === "reload" || entry.type === "back_forward");
  const own = read(sessionStorage, SESSION, "");
  model.send_msg({ own: again ? own : "", known: [own, ...read(localStorage, KNOWN, [])] });
  watch();
  return document.createElement("div");
}
