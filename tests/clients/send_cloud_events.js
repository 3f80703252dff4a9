// Sends the events of standard JSON in the modes of the SDK: `URL EVENTS`; prints what each answer holds.
import process from "node:process";
import { CloudEvent, HTTP, Mode, emitterFor, httpTransport } from "cloudevents";

const [url, mode, given] = process.argv.slice(2);
const events = JSON.parse(given).map((event) => new CloudEvent(event));
const transport = httpTransport(url);
const batch = (all) => ({
  headers: { "content-type": "application/cloudevents-batch+json" },
  body: JSON.stringify(all),
});

const answers = [];
if (mode === "batched") {
  answers.push((await transport(batch(events))).body);
} else {
  const emit = emitterFor(transport, { binding: HTTP, mode: mode === "binary" ? Mode.BINARY : Mode.STRUCTURED });
  for (const event of events) answers.push((await emit(event)).body);
}
console.log(JSON.stringify(answers));
