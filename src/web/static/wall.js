// Keeps the wall live, and says so plainly when it is not: old figures must never look fresh.
"use strict";

const main = document.querySelector("main");
const stale = document.getElementById("stale");
const trouble = document.getElementById("trouble");
// A pulse comes every few seconds while all is well.
const STALE_AFTER = 12000;
// Server time minus this machine's, so that a wall whose clock is wrong shows right ages.
let offset = Number(main.dataset.at) - Date.now();
let at = Number(main.dataset.at);
let open = true;

const UNITS = document.documentElement.lang === "vi"
  ? { s: "giây", min: "phút", h: "giờ", d: "ngày" }
  : { s: "s", min: "min", h: "h", d: "d" };

function length(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} ${UNITS.s}`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} ${UNITS.min}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} ${UNITS.h} ${minutes % 60} ${UNITS.min}`;
  return `${Math.floor(hours / 24)} ${UNITS.d} ${hours % 24} ${UNITS.h}`;
}

function tick() {
  const now = Date.now() + offset;
  stale.hidden = open && now - at < STALE_AFTER;
  document.body.classList.toggle("old", !stale.hidden || !trouble.hidden);
  document.getElementById("age").textContent = `${length(now - at)} ${main.dataset.ago}`;
  for (const time of document.querySelectorAll("time[data-since]")) {
    time.dataset.length = length(now - Number(time.dataset.since));
  }
}

function heard(millisecond) {
  at = Number(millisecond);
  offset = at - Date.now();
  open = true;
}

// What people have unfolded, typed, chosen and reached by keyboard, so that new content does not take it away.
function remember(root) {
  const unfolded = [...root.querySelectorAll("details[open]")].map((details) => details.id).filter(Boolean);
  const typed = [...root.querySelectorAll("input[name], select[name]")].map((field) => [field.name, field.value]);
  const active = root.contains(document.activeElement) ? document.activeElement : null;
  const known = active && (active.name ? `[name="${active.name}"]`
    : active.getAttribute("href") ? `a[href="${CSS.escape(active.getAttribute("href"))}"]` : null);
  return (now) => {
    for (const id of unfolded) now.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    for (const [name, value] of typed) {
      const field = now.querySelector(`[name="${CSS.escape(name)}"]`);
      if (field && field.type !== "hidden") field.value = value;
    }
    if (known && !now.contains(document.activeElement)) now.querySelector(known)?.focus({ preventScroll: true });
  };
}

function element(html, inSvg) {
  const template = document.createElement("template");
  template.innerHTML = inSvg ? `<svg>${html}</svg>` : html;
  return inSvg ? template.content.firstElementChild.firstElementChild : template.content.firstElementChild;
}

// Puts a piece in the place of the one with its id. A region that is read aloud must stay the same element.
function replace(old, piece) {
  const restore = remember(old);
  if (old.hasAttribute("aria-live")) {
    old.className = piece.className;
    old.replaceChildren(...piece.childNodes);
    restore(old);
  } else {
    old.replaceWith(piece);
    restore(piece);
  }
}

// Changes what has changed; false where the page is not what the server takes it for.
function patch({ pieces, lists }) {
  const orders = Object.entries(lists).map(([id, order]) => [document.getElementById(id), order]);
  if (orders.some(([list]) => !list)) return false;
  const fresh = new Map();
  for (const [id, html] of Object.entries(pieces)) {
    const old = document.getElementById(id);
    const listed = orders.find(([, order]) => order.includes(id));
    const parent = old?.parentElement ?? listed?.[0];
    if (!parent) return false;
    const piece = element(html, parent instanceof SVGElement);
    if (piece?.id !== id) return false;
    if (old) replace(old, piece);
    else fresh.set(id, piece);
  }
  const nodes = orders.map(([list, order]) => [list, order.map((id) => document.getElementById(id) ?? fresh.get(id))]);
  if (nodes.some(([, items]) => items.includes(undefined))) return false;
  for (const [list, items] of nodes) {
    let place = list.firstElementChild;
    for (const item of items) {
      if (item === place) place = place.nextElementSibling;
      else list.insertBefore(item, place);
    }
    while (place) {
      const next = place.nextElementSibling;
      place.remove();
      place = next;
    }
  }
  return true;
}

function listen() {
  const source = new EventSource(main.dataset.events);
  source.addEventListener("pulse", (event) => {
    heard(event.data);
    const shown = document.getElementById("at");
    if (shown) shown.dataset.at = event.data;
    tick();
  });
  source.addEventListener("wall", (event) => {
    const [left, top] = [window.scrollX, window.scrollY];
    const restore = remember(main);
    main.innerHTML = event.data;
    offerPrinting();
    restore(main);
    window.scrollTo(left, top);
    heard(event.lastEventId);
    tick();
  });
  source.addEventListener("patch", (event) => {
    const restore = remember(main);
    const done = patch(JSON.parse(event.data));
    restore(main);
    if (!done) {
      // In doubt the whole is asked for: a wall must be true before all else.
      source.close();
      listen();
      return;
    }
    heard(event.lastEventId);
    tick();
  });
  source.addEventListener("trouble", (event) => {
    document.getElementById("why").textContent = event.data;
    trouble.hidden = false;
    tick();
  });
  source.addEventListener("well", () => { trouble.hidden = true; tick(); });
  source.onerror = () => {
    open = false;
    tick();
    if (source.readyState === EventSource.CLOSED) setTimeout(again, 5000);
  };
}

// A browser gives a source up that is refused: because whoever was signed in is not any more, or for a moment.
async function again() {
  try {
    const page = await fetch(location.href, { redirect: "manual", cache: "no-store", headers: { accept: "text/html" } });
    if (page.type === "opaqueredirect") {
      location.reload();
      return;
    }
  } catch { /* Nobody answers: it is tried again. */ }
  listen();
}

// A form that came with an event has no token yet, since events are the same for all who listen.
document.addEventListener("submit", (event) => {
  const token = document.querySelector('meta[name="csrf"]')?.content;
  const form = event.target;
  if (!token || form.method !== "post" || form.elements.namedItem("csrf")) return;
  const field = document.createElement("input");
  [field.type, field.name, field.value] = ["hidden", "csrf", token];
  form.append(field);
});

// What is printed is what the page shows; without a script the browser's own menu does it.
function offerPrinting() {
  for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
}
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-print]")) window.print();
});
offerPrinting();

if (main.dataset.events) {
  listen();
  setInterval(tick, 1000);
  tick();
}
