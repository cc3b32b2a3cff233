/* Keys and countdowns of the review pages. Every key presses a button that is on the page; nothing is decided here.
   A held key counts once, and decision keys are dead for 600 ms after a card is shown. */
(function () {
  "use strict";
  var DEAD_MS = 600;
  var shownAt = performance.now();
  var isBusy = false;
  var DECISIONS = "acvdrtemzl";
  /* G, then a letter, goes to a page of the bar, where the person has it. */
  var PLACES = { q: "/queue/", t: "/today/", a: "/audit/", m: "/metrics/", d: "/decided/" };
  var goneAt = -DEAD_MS * 10;

  function one(selector, within) { return (within || document).querySelector(selector); }
  function isTyping(target) {
    if (!target || !target.closest) { return false; }
    var field = target.closest("input, textarea, select, [contenteditable]");
    return Boolean(field) && !/^(radio|checkbox|button|submit)$/.test(field.type || "");
  }
  function rows() { return Array.prototype.slice.call(document.querySelectorAll("#rows .row, .todo a.btn, .batch-table input.tick")); }

  function step(by) {
    var all = rows();
    if (!all.length) { return; }
    var at = all.indexOf(document.activeElement);
    if (at < 0) { at = all.findIndex(function (row) { return row.hasAttribute("aria-current"); }); }
    if (at < 0) { at = by > 0 ? -1 : all.length; }
    var next = all[Math.min(all.length - 1, Math.max(0, at + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function open(details) {
    document.querySelectorAll("details.act[open]").forEach(function (other) { if (other !== details) { other.open = false; } });
    details.open = true;
    var first = one("input:not([type=hidden]):not([type=checkbox]), select, textarea, button", one(".panel", details) || details);
    if (first) { first.focus({ preventScroll: true }); }
  }

  function press(key) {
    var form = one('form[data-act="' + (key === "z" ? "undo" : key) + '"]');
    if (form) { isBusy = true; form.requestSubmit(); return true; }
    var details = one('details[data-key="' + key + '"]');
    if (!details) { return false; }
    open(details);
    return true;
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if ((form.method || "").toLowerCase() === "post") {
      form.dataset.sent = "1";
      isBusy = true;
    }
  });
  window.addEventListener("pageshow", function () {
    shownAt = performance.now();
    isBusy = false;
    document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  });

  document.addEventListener("keydown", function (event) {
    var key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (key === "Escape") {
      document.querySelectorAll("details.act[open]").forEach(function (details) { details.open = false; });
      if (document.activeElement && isTyping(document.activeElement)) { document.activeElement.blur(); }
      return;
    }
    if (key === "Enter" && event.repeat) { event.preventDefault(); return; }
    if (event.repeat || isBusy || isTyping(event.target)) {
      if (event.repeat && key.length === 1 && DECISIONS.indexOf(key) >= 0 && !isTyping(event.target)) { event.preventDefault(); }
      return;
    }
    var panel = one('details[data-key="d"][open]');
    if (panel && /^[1-9]$/.test(key)) {
      var choice = one('input[data-number="' + key + '"]', panel);
      if (choice) { choice.checked = true; one("button", panel).focus(); event.preventDefault(); }
      return;
    }
    var ready = /^[1-9]$/.test(key) && one('details[data-key="c"][open] button[data-number="' + key + '"]');
    if (ready) { isBusy = true; event.preventDefault(); ready.form.requestSubmit(ready); return; }
    if (key === "j" || key === "ArrowDown" && !event.target.closest("[role=region], input")) { step(1); event.preventDefault(); return; }
    if (key === "k" || key === "ArrowUp" && !event.target.closest("[role=region], input")) { step(-1); event.preventDefault(); return; }
    if (key === "?") {
      var help = one("#keys");
      if (help) { help.open = true; help.scrollIntoView({ block: "nearest" }); one("summary", help).focus(); event.preventDefault(); }
      return;
    }
    if (key === "/") {
      var find = one("#id_find");
      if (find) { find.focus(); } else { window.location.assign("/requests/?state="); }
      event.preventDefault();
      return;
    }
    if (key === "g") { goneAt = performance.now(); return; }
    if (performance.now() - goneAt < 1500 && PLACES[key]) {
      goneAt = -DEAD_MS * 10;
      var place = one('.nav a[href="' + PLACES[key] + '"]');
      if (place) { place.click(); event.preventDefault(); }
      return;
    }
    if (key === "b") { var together = one("#together"); if (together) { together.click(); event.preventDefault(); } return; }
    if (key === "x") {
      var row = event.target.closest && event.target.closest("tr");
      var box = one("input.tick", row || undefined) || one("input.tick");
      if (box) { box.checked = !box.checked; box.focus(); event.preventDefault(); }
      return;
    }
    if (key === "w") { var trace = one('details[data-key="w"]'); if (trace) { trace.open = !trace.open; event.preventDefault(); } return; }
    if (key === "Enter" && event.target === document.body) {
      var first = one(".nothing a.btn.main");
      if (first) { first.click(); event.preventDefault(); }
      return;
    }
    if (key.length === 1 && DECISIONS.indexOf(key) >= 0) {
      if (performance.now() - shownAt < DEAD_MS) { event.preventDefault(); return; }
      if (press(key)) { event.preventDefault(); }
    }
  });

  function tick() {
    document.querySelectorAll(".clock[data-seconds]").forEach(function (clock) {
      if (!clock.dataset.until) { clock.dataset.until = String(Date.now() + 1000 * Number(clock.dataset.seconds)); }
      var left = Math.max(0, Math.round((Number(clock.dataset.until) - Date.now()) / 1000));
      clock.textContent = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
    });
  }
  tick();
  window.setInterval(tick, 1000);

  /* The row in focus never moves: while the focus is in the list, the list is not refreshed. */
  document.addEventListener("htmx:beforeRequest", function (event) {
    var list = one("#list-part");
    if (list && event.target === list && list.contains(document.activeElement)) { event.preventDefault(); }
  });

  /* A refresh of the list says how many came in. */
  document.addEventListener("htmx:afterSwap", function (event) {
    var count = event.target && event.target.querySelectorAll ? event.target.querySelectorAll(".row").length : 0;
    var before = Number(document.body.dataset.rows || count);
    document.body.dataset.rows = String(count);
    var say = one("#announce");
    if (say && count > before) { say.textContent = (count - before) + " new in the list"; }
    tick();
  });
})();
