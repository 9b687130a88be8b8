// What one client makes of one server's queue, as one line of JSON.
//
//     node drive.mjs CLIENT http://127.0.0.1:8188 PROMPT_ID
//
// PROMPT_ID is a job that the client asks for. What it throws is told by the name of its class.

const [client, base, promptId] = process.argv.slice(2);
const { host } = new URL(base);

for (const name of ["log", "info", "warn", "error", "debug"]) console[name] = () => {};

const thrown = (problem) => ({ thrown: problem?.name ?? String(problem) });
const told = (make) => Promise.resolve().then(make).catch(thrown);

const unheard = [];
for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, (problem) => unheard.push(thrown(problem)));

const reads = [];
let bodyRead = () => {};
const send = globalThis.fetch;
globalThis.fetch = async (url, options) => {
  const { pathname } = new URL(url);
  reads.push(`${options?.method ?? "GET"} ${pathname}`);
  const answer = await send(url, options);
  const json = answer.json.bind(answer);
  answer.json = () => json().finally(() => bodyRead(pathname));
  return answer;
};

const clients = {
  async "comfy-ui-client"() {
    const { ComfyUIClient } = await import("comfy-ui-client");
    const api = new ComfyUIClient(host, "00000000-0000-4000-8000-000000000000");
    return { queue: await told(() => api.getQueue()) };
  },

  async "@stable-canvas/comfyui-client"() {
    const { Client } = await import("@stable-canvas/comfyui-client");
    const api = new Client({ api_host: host, WebSocket: class {} });
    return { queue: await told(() => api.getQueue()), status: await told(() => api.getPromptStatus(promptId)) };
  },

  // It reads the queue while it waits for a job of its own: at each status event, to see that the job is still there.
  async "@saintno/comfyui-sdk"() {
    const { CallWrapper, ComfyApi, PromptBuilder } = await import("@saintno/comfyui-sdk");
    const api = new ComfyApi(base);
    const queue = await told(() => api.getQueue());
    const prompt = new PromptBuilder({ 9: { class_type: "SaveImage", inputs: {} } }, [], ["images"]);
    let failed = () => {};
    const gaveUp = new Promise((resolve) => (failed = (problem) => resolve({ gaveUp: problem.message })));
    new CallWrapper(api, prompt.setOutputNode("images", "9")).onFailed(failed).run();
    while (!api.listeners.some((listener) => listener.event === "status")) await new Promise(setImmediate);
    const answered = new Promise((resolve) => (bodyRead = (path) => path === "/queue" && resolve()));
    api.dispatchEvent(new CustomEvent("status", { detail: {} }));
    await answered;
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate); // what it does at once, it has done
    const asksOn = reads.at(-1) !== "GET /queue";
    return { queue, waiting: unheard[0] ?? (asksOn ? await gaveUp : "waits on") };
  },
};

process.stdout.write(JSON.stringify({ ...(await clients[client]()), reads }) + "\n", () => process.exit(0));
