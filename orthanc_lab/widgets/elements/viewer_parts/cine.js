// Plays the slices of a stack: once, over and over, or back and forth.
function nextPosition(position, count, forward, repeat) {
  const next = position + (forward ? 1 : -1);
  if (next >= 0 && next < count) return { position: next, forward };
  if (repeat === "once") return null;
  if (repeat === "loop") return { position: forward ? 0 : count - 1, forward };
  return { position: Math.max(0, Math.min(count - 1, position + (forward ? -1 : 1))), forward: !forward };
}

// `player` has position(), count(), isThere(position), go(position), and changed(isPlaying).
function makeCine(player) {
  const cine = { isPlaying: false, rate: 10, repeat: "loop", play, stop };
  let forward = true;
  let due = 0; // when the next slice is to be shown

  function play() {
    if (cine.isPlaying || player.count() < 2) return;
    forward = true;
    if (cine.repeat === "once" && player.position() === player.count() - 1) player.go(0);
    cine.isPlaying = true;
    due = performance.now() + 1000 / cine.rate;
    player.changed(true);
    requestAnimationFrame(tick);
  }

  function stop() {
    if (!cine.isPlaying) return;
    cine.isPlaying = false;
    player.changed(false);
  }

  function tick(now) {
    if (!cine.isPlaying) return;
    if (now >= due) {
      const next = nextPosition(player.position(), player.count(), forward, cine.repeat);
      if (!next) return stop();
      if (player.isThere(next.position)) {
        forward = next.forward;
        player.go(next.position);
        due = Math.max(due + 1000 / cine.rate, now - 1000 / cine.rate); // what was late is not made up for
      } else player.ask(next.position);
    }
    requestAnimationFrame(tick);
  }
  return cine;
}
