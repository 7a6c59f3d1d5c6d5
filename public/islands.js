// Starts the islands of a page. Without WebAssembly the page stays what it is without any script: plain HTML that works.
const glue = "{{latchkey.js}}";
const binary = "{{latchkey_bg.wasm}}";
try {
  const [islands, response] = await Promise.all([import(glue), fetch(binary)]);
  await islands.default({ module_or_path: response });
  islands.hydrate();
  for (const place of document.querySelectorAll("leptos-island")) islands[place.dataset.component]?.(place);
} catch (error) {
  console.info("No islands here:", error);
}
