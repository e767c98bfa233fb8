// Keeps the wall live, and says so plainly when it is not: old figures must never look fresh.
"use strict";

const main = document.querySelector("main");
const stale = document.getElementById("stale");
const STALE_AFTER = 30000;
// Server time minus this machine's, so that a wall whose clock is wrong shows right ages.
let offset = Number(main.dataset.at) - Date.now();
let at = Number(main.dataset.at);
let open = true;

function length(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function tick() {
  const now = Date.now() + offset;
  stale.hidden = open && now - at < STALE_AFTER;
  document.body.classList.toggle("old", !stale.hidden);
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

const source = new EventSource(`/events?lang=${document.documentElement.lang}`);
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
source.onerror = () => { open = false; tick(); };
setInterval(tick, 1000);
tick();
