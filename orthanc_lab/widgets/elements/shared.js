// Prepended to the script of each element.
function keepKeys(el) {
  // Keys typed here must not act as notebook commands: "x" would cut the cell.
  el.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
}

