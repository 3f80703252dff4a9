// Sends calls with RudderStack's SDK for Node: ADDRESS CALLS.
import process from 'node:process'
import Analytics from '@rudderstack/rudder-sdk-node'

const [address, calls] = process.argv.slice(2)
const analytics = new Analytics('write key', { dataPlaneUrl: address, flushAt: 100, flushInterval: 100 })
const sent = JSON.parse(calls).map(({ type, name, timestamp, ...call }) => new Promise((done) => {
  const time = timestamp ? { originalTimestamp: timestamp } : {}
  analytics[type]({ ...call, ...time, ...(type === 'track' ? { event: name } : { name }) }, done)
}))
console.log(JSON.stringify(await Promise.all(sent)))
