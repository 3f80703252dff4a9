// What stands in the chart's place where no hour has an action: how to send one.

import { postClick } from "./api.js";
import { copy } from "./table.js";

const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const line = () => `curl -i -X POST "${location.origin}/analytics?timestamp=$(date +%s)000&user=alice&event=click"`;

export function prepareNothing(host) {
  host.innerHTML = `<p><strong id="nothing-title"></strong></p><div id="nothing-how"><p>Send the first one; it is in the numbers above within a second.</p>
<pre tabindex="0" aria-label="A command that sends a click"></pre>
<div class="buttons"><button type="button" class="first" id="test-click">Send a test click</button><button type="button" id="copy-line">Copy the command</button><span id="nothing-done" role="status"></span></div></div>`;
  host.querySelector("pre").textContent = line();
  const [click, copying, done] = ["#test-click", "#copy-line", "#nothing-done"].map(name => host.querySelector(name));
  click.hidden = !LOOPBACK.test(location.hostname);
  click.addEventListener("click", async () => {
    click.disabled = true;
    try {
      await postClick("test");
      done.textContent = "Sent.";
    } catch (error) {
      done.textContent = `It was not counted: ${error.message}`;
    }
    click.disabled = false;
  });
  copying.addEventListener("click", async () => {
    done.textContent = (await copy(line())) ? "Copied." : "The browser does not let this page copy.";
  });
}

/** `now`: the hours shown reach up to now, so that an action sent now would be among them. */
export function showNothing(host, shown, now) {
  host.hidden = !shown;
  host.querySelector("#nothing-title").textContent = now ? "No actions in these hours yet" : "No actions in these hours";
  host.querySelector("#nothing-how").hidden = !now;
}
