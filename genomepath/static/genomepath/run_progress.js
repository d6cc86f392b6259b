// Follows a run: asks its state every second while it moves, and puts the answer on the page.
"use strict";

(() => {
  const panel = document.getElementById("run-panel");
  if (!panel || panel.dataset.moving !== "1") {
    return;
  }
  const part = (name) => document.getElementById(`run-${name}`);
  const PERIOD = 1000;
  const PERIOD_AFTER_FAILURE = 5000;

  const show = (state) => {
    part("state").textContent = state.state;
    part("state").dataset.state = state.state;
    part("message").textContent = state.message;
    part("progress").max = Math.max(state.total, 1);
    part("progress").value = state.done;
    part("progress-text").textContent = state.progress;
    part("heartbeat").textContent = state.heartbeat_seconds === null ? "none yet" : `${state.heartbeat_seconds} s ago`;
    const log = part("log");
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    log.textContent = state.log;
    if (atEnd) {
      log.scrollTop = log.scrollHeight;
    }
    if (state.model_version_url) {
      part("version-link").href = state.model_version_url;
      part("version-link").hidden = false;
    }
  };

  const follow = async () => {
    let wait = PERIOD;
    try {
      const answer = await fetch(panel.dataset.stateUrl, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) {
        throw new Error(`state answered ${answer.status}`);
      }
      const state = await answer.json();
      show(state);
      if (!state.moving) {
        // The rest of the page (times, error, buttons) is the server's.
        window.location.reload();
        return;
      }
    } catch (error) {
      part("heartbeat").textContent = "not reachable, trying again";
      wait = PERIOD_AFTER_FAILURE;
    }
    window.setTimeout(follow, wait);
  };

  window.setTimeout(follow, PERIOD);
})();
