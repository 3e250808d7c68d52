// The contract over a choice of pairs in which every two values meet, and compression with some of its options;
// `pnpm interop --all` runs all of both.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CONTRACT } from '../src/contract.ts'
import { meet } from '../src/judge.ts'
import { CLIENTS, isControl, nameOf, PAIRS, type Pair, reduce, SERVERS } from '../src/matrix.ts'
import type { Plan, Step } from '../src/plan.ts'
import { faultsOfTalk, TALKS, variants } from '../src/variants.ts'
import { missingReason, skipReason, World } from '../src/world.ts'

const OURS: Pair = { client: 'connect', server: 'ours', scheme: 'ws', compression: 'plain' }
let world: World

function louder(step: Step): Step {
  if (step.do !== 'send' || step.payload.type !== 'text') return step
  return { do: 'send', payload: { ...step.payload, unit: step.payload.unit.toUpperCase() } }
}

beforeAll(async () => {
  world = await World.create()
})
afterAll(() => world.dispose())

describe('the contract holds', () => {
  for (const pair of reduce(PAIRS.filter((one) => !isControl(one) && skipReason(one) === undefined))) {
    it(nameOf(pair), async () => {
      const { checks, faults } = await meet(await world.meeting(pair))
      expect(faults).toEqual([])
      expect(checks).toBeGreaterThan(CONTRACT.length / 2)
    })
  }

  for (const peer of [...CLIENTS, ...SERVERS]) {
    const reason = missingReason(peer)
    if (reason !== undefined) it(peer, ({ skip }) => skip(reason))
  }
})

describe('windows and takeover are agreed and kept to [N4, N8, N9, N11]', () => {
  for (const talk of TALKS) {
    it(`${talk.client} to ${talk.server}, options of the ${talk.asker}`, async ({ skip }) => {
      const reason = missingReason(talk.client) ?? missingReason(talk.server)
      if (reason !== undefined) return skip(reason)
      expect(await faultsOfTalk(world, talk, variants(false))).toEqual([])
    })
  }
})

describe('what breaks the contract', () => {
  it('compression that does not come about is a fault of every check', async () => {
    const meeting = await world.meeting(OURS)
    const { checks, faults } = await meet({ ...meeting, compressed: true })
    expect(faults).toHaveLength(checks)
    expect(faults).toContain('no subprotocol: client: extension: expected "permessage-deflate", got ""')
  })

  it('compression where there should be none is a fault, and is seen on the wire', async () => {
    const meeting = await world.meeting({ ...OURS, compression: 'compressed' })
    const { checks, faults } = await meet({ ...meeting, compressed: false })
    expect(faults).toHaveLength(checks)
    expect(faults).toContain('no subprotocol: client: extension: expected "", got "permessage-deflate"')
  })

  it('a client that cannot connect', async () => {
    const meeting = await world.meeting(OURS)
    const { checks, faults } = await meet({ ...meeting, origin: meeting.origin.replace('ws:', 'wss:') })
    expect(faults).toHaveLength(checks)
  })

  it('a message that is not the one that was sent', async () => {
    const meeting = await world.meeting(OURS)
    const run = (plan: Plan) => meeting.client.run({ ...plan, steps: plan.steps.map(louder) })
    const { faults } = await meet({ ...meeting, client: { ...meeting.client, run } })
    expect(faults).toContain('no subprotocol: expected text of 1: "a", got text of 1: "A"')
    expect(faults).toContain('server closes with 1000: expected text of 9: "1000 done", got text of 9: "1000 DONE"')
  })
})
