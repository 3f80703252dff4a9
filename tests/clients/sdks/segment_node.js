// Sends calls with Segment's SDK for Node: ADDRESS CALLS MAX_RETRIES.
import process from 'node:process'
import { Analytics } from '@segment/analytics-node'

const [address, calls, maxRetries] = process.argv.slice(2)
const analytics = new Analytics({ writeKey: 'write key', host: address, maxRetries: Number(maxRetries ?? 3) })
analytics.on('error', (error) => console.error(error.code, error.reason))
for (const { type, name, ...call } of JSON.parse(calls)) {
  analytics[type]({ ...call, ...(type === 'track' ? { event: name } : { name }) })
}
await analytics.closeAndFlush()
