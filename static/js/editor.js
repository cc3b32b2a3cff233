/* The rule editor: another fact, comparison or limit shows other fields, so the form is asked for again as it stands.
   Typing in a list changes it letter by letter: only a pause asks. Without scripts "Show choices" does the same. */
(function () {
  "use strict";
  var PAUSE_MS = 400;
  var timer = 0;
  function later(field) {
    window.clearTimeout(timer);
    timer = window.setTimeout(function () {
      var button = document.getElementById("show-choices");
      if (button && field.isConnected && field.form === button.form) { button.click(); }
    }, PAUSE_MS);
  }
  document.addEventListener("change", function (event) {
    var field = event.target.closest("[data-changes]");
    if (field) { later(field); }
  });
  document.addEventListener("keydown", function (event) {
    if (timer && event.target.closest && event.target.closest("[data-changes]")) { window.clearTimeout(timer); }
  });
  document.addEventListener("keyup", function (event) {
    var field = timer && event.target.closest && event.target.closest("[data-changes]");
    if (field && event.key.length === 1) { later(field); }
  });
  document.addEventListener("htmx:beforeRequest", function () { window.clearTimeout(timer); timer = 0; });
})();
