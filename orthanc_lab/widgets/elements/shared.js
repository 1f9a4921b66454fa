// Stands before the script of each element.
function keepKeys(el) {
  // Letters typed here are no commands of the notebook: "x" would cut the cell.
  el.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
}

