// Saves or copies what a message of Python names: a text, data, or the picture of a Bokeh figure that is on the page.
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function content({ text, data, figure, kind, mime }) {
  if (text !== undefined) return new Blob([text], { type: mime });
  if (data !== undefined) return new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type: mime });
  const [view] = [...Bokeh.index.query((found) => found.model.name === figure)];
  return view.export(kind).to_blob();
}

export function render({ model }) {
  model.on("message", async () => {
    const message = model.message;
    const blob = await content(message);
    if (!message.copy) {
      download(blob, message.name);
      return;
    }
    try {
      await navigator.clipboard.write([new ClipboardItem({ [message.mime]: blob })]);
    } catch (error) { // no clipboard over plain http, or not for this page
      model.problem = "";
      model.problem = "The browser gives its clipboard to pages over https alone, if at all: it was saved as a file.";
      download(blob, message.name);
    }
  });
  return document.createElement("div");
}
