// The process behind standard.ts: reads plans as lines of JSON, answers with outcomes. The argument names the class.

import { createInterface } from 'node:readline'
import { WebSocket as Undici } from 'undici'
import { drive, type StandardSocket, standardChannel } from '../drive.ts'
import type { Plan } from '../plan.ts'

const Class = process.argv[2] === 'undici' ? Undici : globalThis.WebSocket

createInterface(process.stdin).on('line', async (line) => {
  const { number, plan } = JSON.parse(line) as { number: number; plan: Plan }
  const socket = new Class(plan.url, [...plan.protocols])
  const result = await drive(plan, standardChannel(socket as StandardSocket))
  process.stdout.write(`${JSON.stringify({ answers: number, result })}\n`)
})
