// Follows logs and keeps figures fresh. Everything else works without it. Text
// from the host only ever becomes text nodes; pages are parsed by the browser as
// the pages that they are, and never run.
"use strict";

function followLog(list) {
  const state = document.querySelector("[data-live-state]");
  const empty = document.querySelector("[data-log-empty]");
  const most = Number(list.dataset.most);
  const say = (text, on) => { state.textContent = text; state.classList.toggle("on", on); };
  const part = (kind, text) => {
    const e = document.createElement(kind);
    e.textContent = text;
    return e;
  };
  const source = new EventSource(list.dataset.log);
  source.addEventListener("hello", () => { // the last lines follow, again after a break
    list.replaceChildren();
    say("live", true);
  });
  source.addEventListener("line", (event) => {
    const line = JSON.parse(event.data);
    const item = document.createElement("li");
    const time = part("time", line.time);
    const text = part("span", line.message);
    item.className = line.class;
    time.dateTime = line.iso;
    text.className = "text";
    item.append(time, " ", part("b", line.level), " ", text, " ", part("i", line.fields));
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    list.append(item);
    while (list.childElementCount > most) list.firstElementChild.remove();
    if (atEnd) list.scrollTop = list.scrollHeight;
    empty.hidden = true;
  });
  source.addEventListener("error", () => {
    say(source.readyState === EventSource.CLOSED ? "ended: reload the page" : "interrupted", false);
  });
  list.scrollTop = list.scrollHeight;
}

// Parts that somebody is in, or has opened, stay as they are.
function busy(part) {
  return part.contains(document.activeElement) || part.querySelector("details[open]") !== null;
}

function sessionOver() {
  clearInterval(ticking);
  const note = document.createElement("p");
  note.className = "note fair";
  note.role = "status";
  note.textContent = "The session is over, and the figures stand still. Reload the page to log in.";
  document.querySelector("main").prepend(note);
}

function refresh() {
  if (document.hidden) return;
  const request = new XMLHttpRequest();
  request.open("GET", location.href);
  request.setRequestHeader("Wasgi-Refresh", "1"); // does not keep the session alive
  request.responseType = "document";
  request.timeout = 10000;
  request.onload = () => {
    if (request.responseURL.includes("/console/login")) {
      sessionOver();
      return;
    }
    if (request.status !== 200) return;
    for (const part of document.querySelectorAll("[data-fresh]")) {
      const fresh = request.response.getElementById(part.id);
      if (fresh && !busy(part)) part.replaceWith(document.importNode(fresh, true));
    }
  };
  request.send();
}

for (const list of document.querySelectorAll("[data-log]")) followLog(list);
const ticking = document.querySelector("[data-fresh]") ? setInterval(refresh, 15000) : 0;
