// Saves what a message of Python names: a text, or the picture of a Bokeh figure that is on the page.
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export function render({ model }) {
  model.on("message", async () => {
    const message = model.message;
    if (message.text !== undefined) {
      download(new Blob([message.text], { type: "text/csv" }), message.name);
      return;
    }
    const [view] = [...Bokeh.index.query((found) => found.model.name === message.figure)];
    download(await view.export(message.kind).to_blob(), message.name);
  });
  return document.createElement("div");
}
