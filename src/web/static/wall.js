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

const source = new EventSource(main.dataset.events);
source.addEventListener("pulse", (event) => {
  heard(event.data);
  const shown = document.getElementById("at");
  if (shown) shown.dataset.at = event.data;
  tick();
});
source.addEventListener("wall", (event) => {
  const unfolded = [...main.querySelectorAll("details[open]")].map((details) => details.id);
  const [left, top] = [window.scrollX, window.scrollY];
  main.innerHTML = event.data;
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
  window.scrollTo(left, top);
  heard(event.lastEventId);
  tick();
});
source.addEventListener("trouble", (event) => {
  document.getElementById("why").textContent = event.data;
  trouble.hidden = false;
  tick();
});
source.addEventListener("well", () => { trouble.hidden = true; tick(); });
source.onerror = () => { open = false; tick(); };
setInterval(tick, 1000);
tick();
